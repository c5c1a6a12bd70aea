import numpy as np
import pytest
import torch
from helpers.tensorflow_checkpoint import write_checkpoint

from flowzoo.io.tensorflow_variables import read_variables, variables_in

pytest.importorskip("google_crc32c")


@pytest.fixture
def variables():
    rng = np.random.default_rng(0)
    return {
        "net/a/w": rng.random((1, 3, 5), np.float32),
        "net/a/b": rng.random(200),
        "net/scale": np.array(7, np.float32),
        "net/empty": np.zeros((0, 3), np.float32),
        "net/a/w/Adam": rng.random((2, 2), np.float32),
        "global_step": np.array(300),
    }


def assert_same(found, variables):
    floating = {n: v for n, v in variables.items() if v.dtype.kind == "f"}
    assert found.keys() == floating.keys()
    for name, value in floating.items():
        torch.testing.assert_close(found[name], torch.from_numpy(value), rtol=0, atol=0)


@pytest.mark.parametrize(("shards", "per_block"), [(1, 99), (3, 2), (2, 1)])
def test_checkpoints(variables, tmp_path, shards, per_block):
    prefix = tmp_path / "model.ckpt"
    write_checkpoint(prefix, variables, shards, per_block)
    assert_same(read_variables(prefix), variables)
    assert_same(read_variables(f"{prefix}.index"), variables)


def test_npz(variables, tmp_path):
    del variables["global_step"]
    np.savez(tmp_path / "model.npz", **variables)
    assert_same(read_variables(tmp_path / "model.npz"), variables)
    path = tmp_path / "odd.npz"
    for odd in (np.array([{}], dtype=object), np.array(["a"])):
        np.savez(path, a=odd)
        with pytest.raises(ValueError, match=r"odd\.npz is no \.npz of variables"):
            read_variables(path)
    for content in (b"", b"PK\x03\x04", b"text"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"odd\.npz is no \.npz of variables"):
            read_variables(path)


def test_variables_of_a_scope():
    names = ["net/a/w", "net/a/w/Adam", "net/a/w/ExponentialMovingAverage", "other/net"]
    found = variables_in({name: torch.zeros(1) for name in names}, "net/")
    assert list(found) == ["a/w"]


def test_damage_is_noticed(variables, tmp_path):
    """A changed byte is named as an error, or is one that nobody reads."""
    prefix = tmp_path / "model.ckpt"
    write_checkpoint(prefix, variables, per_block=3)
    for suffix in ("index", "data-00000-of-00001"):
        path = tmp_path / f"model.ckpt.{suffix}"
        content = path.read_bytes()
        places, noticed = range(0, len(content), 13), 0
        for i in places:
            damaged = bytearray(content)
            damaged[i] ^= 0x55
            path.write_bytes(damaged)
            try:
                assert_same(read_variables(prefix), variables)
            except ValueError as error:
                noticed += "model.ckpt.index" in str(error)
        assert noticed > 0.8 * len(places)
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(ValueError, match=r"model\.ckpt\.index"):
            read_variables(prefix)
        path.write_bytes(content)
    assert_same(read_variables(prefix), variables)


def test_missing_files(variables, tmp_path):
    with pytest.raises(OSError, match=r"x\.index"):
        read_variables(tmp_path / "x")
    write_checkpoint(tmp_path / "x", variables, shards=2)
    (tmp_path / "x.data-00001-of-00002").unlink()
    with pytest.raises(OSError, match="data-00001-of-00002"):
        read_variables(tmp_path / "x")
