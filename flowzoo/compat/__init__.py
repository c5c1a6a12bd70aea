"""Work-arounds for mmaction2 1.2, mmengine 0.10 and mmcv-lite 2.1 on current PyTorch.

One function per fault. Each names in its docstring the error that it answers, changes
something only where the fault is present, and may be called again. Importing this
package applies them all; it has to happen before ``mmaction.models`` is imported.
"""

from .imports import check_opencv, hush_mmcv_lite, provide_drn

hush_mmcv_lite()
check_opencv()
provide_drn()

from .checkpoints import allow_mmengine_checkpoints  # noqa: E402
from .configs import resolve_flowzoo_configs  # noqa: E402
from .distributed import use_gloo_on_cpu, wrap_models_on_cpu  # noqa: E402
from .flops import count_flow_operators  # noqa: E402
from .heads import score_in_float32  # noqa: E402
from .interruption import resume_from_whole_checkpoint, write_whole_files  # noqa: E402

allow_mmengine_checkpoints()
resolve_flowzoo_configs()
use_gloo_on_cpu()
wrap_models_on_cpu()
score_in_float32()
count_flow_operators()
write_whole_files()
resume_from_whole_checkpoint()
