"""Tells things from backgrounds by a network, with rembg. In the engine process only.

rembg's first import compiles for a minute, and is kept from then on.
"""

from pathlib import Path
from typing import Any, Final

import torch
from PIL import Image

from worker.post_processing import BackgroundRemover
from worker.renderer import CannotLoad

MAX_CLEANED: Final = 2048 * 2048
"""Pixels of the largest picture whose edges are cleaned of the background's colours: that takes
hundreds of bytes a pixel."""


class Matting:
    """The networks that are loaded, by their files."""

    def __init__(self) -> None:
        self._sessions: dict[Path, Any] = {}

    def load(self, remover: BackgroundRemover) -> Any:  # noqa: ANN401 - untyped
        """Load a network. Raises CannotLoad."""
        if remover.folder not in self._sessions:
            try:
                self._sessions[remover.folder] = _session(remover)
            except Exception as error:  # whatever a broken file or a foreign package leads to
                raise CannotLoad(f"{remover.folder}: {type(error).__name__}") from error
        return self._sessions[remover.folder]

    def removed(self, remover: BackgroundRemover, image: Image.Image) -> Image.Image:
        """Return an RGB picture (RGBA) with its background transparent. Raises CannotLoad."""
        import rembg  # noqa: PLC0415 - an extra

        session = self.load(remover)
        made: Image.Image = rembg.remove(
            image.convert("RGB"),
            session=session,
            decontaminate=image.width * image.height <= MAX_CLEANED,
        )
        return made


def _session(remover: BackgroundRemover) -> Any:  # noqa: ANN401 - untyped
    """Have the library read our file: it would look elsewhere, and fetch what is not there."""
    import onnxruntime  # noqa: PLC0415 - of the extra
    from rembg.sessions import sessions_class  # noqa: PLC0415

    kind = next(one for one in sessions_class if one.name() == remover.network)
    file = str(remover.folder)
    ours = type(kind.__name__, (kind,), {"download_models": classmethod(lambda *_, **__: file)})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return ours(remover.network, options)
