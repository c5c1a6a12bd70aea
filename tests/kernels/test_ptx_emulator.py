"""The emulator on which kernels run in tests: defects that are planted are found."""

import re

import pytest
import torch
from repflow_inputs import make_maps, make_parameters

pytest.importorskip("triton")

from helpers.ptx_emulator import emulated
from helpers.ptx_emulator.findings import Findings
from helpers.ptx_emulator.launch import launch
from helpers.ptx_emulator.program import Program
from helpers.warp_cases import make_inputs

from flowzoo_kernels import representation_flow
from flowzoo_kernels.warp import op as warp

# Blocks of 64 threads: out[i] = x[i] + x[i rotated by 32 in its block] + x[i ^ 1],
# where i < n; threads beyond take part with 0.
ROTATE = """
.visible .entry rotate(
    .param .u64 .ptr .global .align 1 rotate_param_0,
    .param .u64 .ptr .global .align 1 rotate_param_1,
    .param .u32 rotate_param_2
)
.reqntid 64
{
    .reg .pred %p<3>;
    .reg .b32 %r<20>;
    .reg .b64 %rd<6>;
    ld.param.b64 %rd1, [rotate_param_0];
    ld.param.b64 %rd2, [rotate_param_1];
    ld.param.b32 %r1, [rotate_param_2];
    mov.u32 %r2, %tid.x;
    mov.u32 %r3, %ctaid.x;
    shl.b32 %r4, %r3, 6;
    add.s32 %r5, %r4, %r2;
    setp.lt.s32 %p1, %r5, %r1;
    mul.wide.s32 %rd3, %r5, 4;
    add.s64 %rd4, %rd1, %rd3;
    add.s64 %rd5, %rd2, %rd3;
    mov.b32 %r6, 0;
    @%p1 ld.global.b32 { %r6 }, [ %rd4 + 0 ];
    shl.b32 %r7, %r2, 2;
    mov.b32 %r8, global_smem;
    add.s32 %r9, %r8, %r7;
    st.shared.b32 [%r9], %r6;
    bar.sync 0;
    xor.b32 %r10, %r7, 128;
    add.s32 %r11, %r8, %r10;
    ld.shared.b32 %r12, [%r11];
    shfl.sync.bfly.b32 %r13, %r6, 1, 31, -1;
    add.f32 %r14, %r6, %r12;
    add.f32 %r15, %r14, %r13;
    setp.eq.s32 %p2, %r2, 99;
    @%p2 bra $L__nowhere;
    @%p1 st.global.b32 [ %rd5 + 0 ], { %r15 };
$L__nowhere:
    ret;
}
"""


def rotate(ptx=ROTATE, n=100, x=None, seed=None):
    """The result, what it should be, and what the emulator found."""
    torch.manual_seed(0)
    x = torch.randn(n) if x is None else x
    out, findings = torch.full((n,), torch.nan), Findings()
    arguments = {"x": x, "out": out, "n": n}
    launch(Program(ptx), (2, 1, 1), arguments, 256, findings, seed)
    padded = torch.zeros(128)
    padded[:n] = x
    rotated = padded.view(2, 2, 32).flip(1).reshape(-1)
    neighbors = padded.view(-1, 2).flip(1).reshape(-1)
    return out, (padded + rotated + neighbors)[:n], findings


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_right_kernel(seed):
    out, expected, findings = rotate(seed=seed)
    assert not findings, findings
    torch.testing.assert_close(out, expected, rtol=1e-6, atol=1e-6)


OUTSIDE, MISALIGNED = "access out of bounds", "misaligned access"
RACE, SHARED_RACE = "race in global memory", "race in shared memory"
LOAD, STORE, SHARED_LOAD = "[ %rd4 + 0 ]", "[ %rd5 + 0 ], { %r15 }", "[%r11]"
TWO_BARRIERS = "@%p1 bra $L__other; bar.sync 0;\n$L__other:\nbar.sync 0;"


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("@%p1 ld", "ld", OUTSIDE),
        ("@%p1 st", "st", OUTSIDE),
        (LOAD, "[ %rd4 + 4 ]", OUTSIDE),
        (LOAD, "[ %rd4 + -4 ]", OUTSIDE),
        (LOAD, "[ %rd4 + 8000000000000 ]", OUTSIDE),
        (LOAD, "[ %rd4 + 2 ]", MISALIGNED),
        (SHARED_LOAD, "[%r11+256]", f"{OUTSIDE} of shared memory"),
        (SHARED_LOAD, "[%r11+2]", f"{MISALIGNED} of shared memory"),
        (
            "st.shared",
            "@%p1 st.shared",
            "read of shared memory that nobody has written",
        ),
        ("bar.sync 0;", "", f"{SHARED_RACE}, read after write between warps"),
        ("b32 [%r9]", "b32 [%r8]", f"{SHARED_RACE}, different values in one store"),
        (
            "add.s32 %r5, %r4, %r2",
            "mov.b32 %r5, %r2",
            f"{RACE}, write after write between blocks",
        ),
        (STORE, "[ %rd2 ], { %r15 }", f"{RACE}, different values in one store"),
        (STORE, "[ %rd4 + 4 ], { %r15 }", f"{RACE}, write after read between blocks"),
        ("shfl", "@%p1 shfl", "instruction of a whole warp in a part of it"),
        ("31, -1;", "31, 1;", "shuffle of a part of a warp"),
        ("bar.sync", "@%p1 bar.sync", "barrier that some threads do not reach"),
        ("bar.sync 0;", TWO_BARRIERS, "threads at different barriers"),
        ("shl.b32 %r7", "div.s32 %r7, %r2, %r3;\n shl.b32 %r7", "division by zero"),
    ],
)
def test_planted_defects_are_found(old, new, kind):
    assert old in ROTATE
    _, _, findings = rotate(ROTATE.replace(old, new))
    assert kind in {finding.kind for finding in findings}, findings


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("bfly.b32 %r13, %r6, 1", "bfly.b32 %r13, %r6, 2"),
        ("shfl.sync.bfly", "shfl.sync.idx"),
        ("xor.b32 %r10, %r7, 128", "xor.b32 %r10, %r7, 64"),
        ("add.f32 %r15, %r14, %r13", "add.f32 %r15, %r14, %r12"),
        ("setp.eq.s32 %p2, %r2, 99", "setp.eq.s32 %p2, %r2, 9"),  # left out: NaN
    ],
)
def test_planted_defects_change_the_result(old, new):
    assert old in ROTATE
    out, expected, findings = rotate(ROTATE.replace(old, new))
    assert not findings
    assert not torch.allclose(out, expected)


def test_gaps_between_elements_are_not_read():
    x = torch.randn(200)[::2]
    _, _, findings = rotate(x=x)
    assert [finding.kind for finding in findings] == ["access out of bounds"]
    assert "between its elements" in str(findings)


def test_missing_barrier_shows_in_a_random_order():
    """Besides the finding: some warp reads before the other one has written."""
    ptx = ROTATE.replace("bar.sync 0;", "")
    results = [rotate(ptx, seed=seed)[0] for seed in range(3)]
    assert any(not torch.allclose(result, rotate()[1]) for result in results)


def test_unknown_instructions_are_named():
    with pytest.raises(NotImplementedError, match=r"brev\.b32"):
        rotate(ROTATE.replace("mov.b32 %r6, 0;", "brev.b32 %r6, %r5;"))


def warp_forward():
    image, flow, _ = make_inputs((1, 2, 9, 21))
    return warp._forward(image, flow, "zeros", "triton")


def flow_forward():
    """Of one map in four warps."""
    parameters = make_parameters("tvl1", 1).values()
    return representation_flow(
        make_maps((1, 1, 2, 40, 32)), *parameters, 3, "tvl1", "triton"
    )


DEFECTS = {  # pattern of an instruction, what takes its place
    "barrier removed": (r"bar\.sync[^;]*;", ""),
    "wrong lane": (r"(shfl\.sync\.\w+\S* .*), \S+, (\S+), -1;", r"\1, 5, \2, -1;"),
    "predicate dropped": (r"@%p\d+ (ld\.global)", r"\1"),
    "address shifted": (
        r"((?:ld|st)\.global\S* .*)\[ ?(%rd\d+)[^\]]*\]",
        r"\1[\2+8192]",
    ),
    "shared address shifted": (
        r"((?:ld|st)\.shared\S* .*)\[ ?(%r\d+)[^\]]*\]",
        r"\1[\2+64]",
    ),
}


@pytest.mark.parametrize(
    ("run", "defect"),
    [
        (warp_forward, "predicate dropped"),
        (warp_forward, "address shifted"),
        (flow_forward, "barrier removed"),
        (flow_forward, "wrong lane"),
        (flow_forward, "address shifted"),
        (flow_forward, "shared address shifted"),
    ],
)
def test_defects_in_kernels_are_noticed(run, defect):
    """Planted in eight instructions, in one at a time.

    One may make no difference: a barrier too many, or a load that nobody needs.
    """
    with emulated() as emulator:
        expected = run()
    assert not emulator.findings, emulator.findings
    pattern, replacement = DEFECTS[defect]
    unnoticed = []

    def plant(ptx):
        places = list(re.finditer(pattern, ptx))
        assert places
        place = places[round(part * (len(places) - 1))]
        planted = re.sub(pattern, replacement, place[0])
        assert planted != place[0]
        return ptx[: place.start()] + planted + ptx[place.end() :]

    for part in torch.linspace(0, 1, 8).tolist():
        with emulated(change=plant) as emulator:
            result = run()
        if not emulator.findings and torch.allclose(result, expected, rtol=1e-3):
            unnoticed.append(part)
    assert len(unnoticed) <= 1, unnoticed
