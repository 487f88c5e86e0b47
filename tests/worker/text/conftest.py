import pytest

import tiny_llama


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory):
    """The folder of a language model of random weights. Do not change it."""
    folder = tmp_path_factory.mktemp("models") / "llama"
    tiny_llama.build(folder)
    return folder
