import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from flowzoo_kernels import RepresentationFlow

from .repflow_fusion import FlowFusion, conv_norm


def fold_frames(x: Tensor) -> Tensor:
    """(N, C, T, H, W) to (N*T, C, H, W), the T frames of a clip one after another.

    On a CPU the channels come last in memory, with which convolutions are faster.
    """
    if x.device.type != "cpu":
        return x.transpose(1, 2).flatten(0, 1)
    # vmap knows no contiguous(memory_format=torch.channels_last)
    return x.permute(0, 2, 3, 4, 1).flatten(0, 1).contiguous().permute(0, 3, 1, 2)


def unfold_frames(x: Tensor, frames: int) -> Tensor:
    """(N*T, C, H, W) with T frames to (N, C, T, H, W), without a copy."""
    return x.reshape(-1, frames, *x.shape[1:]).transpose(1, 2)


def per_frame(module: nn.Module, x: Tensor) -> Tensor:
    """Apply a 2D module to each frame of clips (N, C, T, H, W)."""
    return unfold_frames(module(fold_frames(x)), x.shape[2])


class RepFlowBlock(BaseModule):
    """Representation-flow layers between the convolutions they need in a CNN.

    1x1 convolution C -> C', representation flow (C' -> 2C'), 3x3 convolution back
    to C (paper: Representation Flow for Action Recognition, section 3.2 and
    appendix A), fusion with the features themselves (its table 4). Where C <= C' the
    flow is computed on the C channels themselves.

    Flow layers can be stacked (table 5, figure 4): flow-conv-flow has
    ``num_flows=2``, with a 3x3 convolution 2C' -> C' before the second layer;
    flow-of-flow has ``conv_between=False`` as well, so that the second layer computes
    the flow of the 2C' flow maps. Each layer turns T frames into T-1.

    The paper does not say what follows the last 3x3 convolution. Here batch norm and
    ReLU do, because the next residual stage expects what the previous one gave;
    ``norm_cfg=None, act_cfg=None`` leaves the convolution bare.

    Args:
        channels: C, channels of the incoming features and of the result.
        bottleneck_channels: C', channels on which the flow is computed.
        num_flows: flow layers, one after another.
        conv_between: whether a convolution stands between two of them.
        fusion: 'none', 'add', 'multiply', 'layer_multiply' or 'concat', see
            :class:`FlowFusion`. A flow meets the features of its first frame.
        keep_frames: let as many frames come out as went in: the last flow serves the
            ``num_flows`` frames after it as well.
        n_iters, variant, learn, normalize, backend: see
            :class:`flowzoo_kernels.RepresentationFlow`. The default variant is what
            the authors trained: with the Sobel filters that the paper writes
            (``'paper'``), training spends its first epochs on lowering theta.
        norm_cfg, act_cfg: what follows the last 3x3 convolution.
    """

    def __init__(
        self,
        channels: int,
        bottleneck_channels: int = 32,
        num_flows: int = 1,
        conv_between: bool = True,
        fusion: str = "none",
        keep_frames: bool = False,
        n_iters: int = 20,
        variant: str = "tvl1",
        learn: tuple[str, ...] = ("divergence", "theta", "lam", "tau"),
        normalize: str | None = "clip",
        backend: str = "auto",
        norm_cfg: dict | None = dict(type="BN2d"),  # noqa: B006, mmengine's style
        act_cfg: dict | None = dict(type="ReLU"),  # noqa: B006
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if num_flows < 1:
            raise ValueError(f"num_flows={num_flows}, but at least 1 layer is needed")
        self.num_flows = num_flows
        self.keep_frames = keep_frames
        maps = min(channels, bottleneck_channels)
        self.reduce = nn.Identity()
        if maps < channels:
            self.reduce = nn.Conv2d(channels, maps, 1)
        self.flows = nn.ModuleList()
        self.between = nn.ModuleList()
        for i in range(num_flows):
            if i > 0 and conv_between:
                self.between.append(nn.Conv2d(2 * maps, maps, 3, padding=1))
            elif i > 0:
                self.between.append(nn.Identity())
                maps *= 2
            self.flows.append(
                RepresentationFlow(
                    maps,
                    n_iters=n_iters,
                    variant=variant,
                    learn=learn,
                    normalize=normalize,
                    backend=backend,
                )
            )
        self.flow_channels = 2 * maps  # of compute_flow's result
        self.expand = conv_norm(self.flow_channels, channels, 3, norm_cfg)
        self.fusion = FlowFusion(fusion, channels, norm_cfg, act_cfg)

    def frames_out(self, frames: int) -> int:
        """How many frames come out of T.

        Raises:
            ValueError: T frames are too few for the stacked layers.
        """
        if frames <= self.num_flows:
            raise ValueError(
                f"{self.num_flows} flow layer(s) need at least {self.num_flows + 1} "
                f"frames, but {frames} arrived here; raise clip_len of SampleFrames, "
                "or lower the temporal strides before the layer"
            )
        return frames if self.keep_frames else frames - self.num_flows

    def compute_flow(self, x: Tensor) -> Tensor:
        """Flow of (N, C, T, H, W) as (N, flow_channels, T - num_flows, H, W)."""
        self.frames_out(x.shape[2])
        u = self.flows[0](per_frame(self.reduce, x))
        for conv, flow in zip(self.between, self.flows[1:], strict=True):
            u = flow(per_frame(conv, u))
        return u

    def fuse(self, x: Tensor, u: Tensor) -> Tensor:
        """Join the features x with their flow u, as compute_flow gave it.

        Returns:
            (N, C, frames_out(T), H, W)
        """
        y = per_frame(self.expand, u)
        if self.keep_frames:
            last = y[:, :, -1:].expand(-1, -1, self.num_flows, -1, -1)
            y = torch.cat((y, last), 2)
        frames = y.shape[2]
        out = self.fusion(fold_frames(x[:, :, :frames]), fold_frames(y))
        return unfold_frames(out, frames)

    def forward(self, x: Tensor) -> Tensor:
        """Turn frames into flows between them, joined with the frames' features.

        Args:
            x: (N, C, T, H, W).

        Returns:
            (N, C, frames_out(T), H, W)
        """
        return self.fuse(x, self.compute_flow(x))
