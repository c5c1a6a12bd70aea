"""An emulator of Nvidia GPUs, on which Triton's kernels run and are checked.

A kernel's PTX becomes Python functions, one for each basic block (ptx.py, emitter.py,
emit_*.py, program.py), which compute for all threads of many blocks at once
(threads.py, arithmetic.py, scheduler.py, launch.py). Every access to memory is checked
(global_memory.py, shared_memory.py, races.py). Findings are accesses out of bounds or
between a tensor's elements, misaligned ones, reads of shared memory that nobody has
written, races, instructions of a whole warp in a part of it, and barriers that not all
threads reach.

Not emulated: what ptxas makes of the PTX, conflicts of banks, the weak order of memory.
A shuffle counts as a barrier of its warp. Atomic additions are not looked at for races.
"""

from .triton_launch import emulated

__all__ = ["emulated"]
