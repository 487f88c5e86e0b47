"""The version of this distribution."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("stable-horde")
except PackageNotFoundError:  # run from a folder that was not installed
    VERSION = "0"
