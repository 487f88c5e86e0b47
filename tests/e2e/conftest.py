"""A model of random weights, for workers that are real processes."""

import warnings

import pytest

import tiny_random


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """Folder of a model of random weights, called as the shipped one is."""
    folder = tmp_path_factory.mktemp("models") / "horde-tiny"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing the libraries is full of them
        tiny_random.build(folder)
    return folder
