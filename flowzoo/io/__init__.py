"""Files of videos, features and weights: reading and writing."""

import gc
import os

# A forked process has not the threads of the decoders that it inherits: one that its
# garbage collector freed would wait for them for ever. Data loaders fork, too.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=gc.freeze)
