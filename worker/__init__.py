"""The worker: takes jobs from a horde, has them made on this machine, and delivers them."""

import sys

# Nobody here uses torchvision. It comes with spandrel, transformers uses it where it is there, and
# it cannot be imported where torch is a build for CPUs and torchvision one for GPUs, as the package
# index has it: to the libraries it is not there.
sys.modules.setdefault("torchvision", None)  # type: ignore[arg-type]
