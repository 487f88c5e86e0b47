"""Installing the plug-in, packing it, and its translations."""

import gettext
import io
import os
import string
import subprocess
import sys
import zipfile

import pytest

import processes
from catalogue import TRANSLATIONS, compiled, messages, read

INSTALL = [sys.executable, str(processes.ROOT / "plugins" / "gimp" / "install.py")]
LANGUAGES = sorted(path.stem for path in TRANSLATIONS.glob("*.po"))


def install(home, *arguments, **environment):
    """Run the installer as somebody whose home is empty."""
    variables = {"PATH": os.environ["PATH"], "HOME": str(home), **environment}
    subprocess.run([*INSTALL, *arguments], check=True, env=variables, stdout=subprocess.DEVNULL)


def test_it_is_installed_for_the_newest_gimp_and_over_an_older_one(tmp_path):
    for version in ("2.10", "3.0", "3.2"):
        (tmp_path / ".config" / "GIMP" / version).mkdir(parents=True)
    folder = tmp_path / ".config" / "GIMP" / "3.2" / "plug-ins" / "stable-horde"
    install(tmp_path)
    (folder / "old.py").touch()
    install(tmp_path)
    assert os.access(folder / "stable-horde.py", os.X_OK)
    assert (folder / "stable_horde" / "gimp3" / "plugin.py").exists()
    assert not (folder / "old.py").exists()


def test_a_named_profile_goes_first(tmp_path):
    install(tmp_path, GIMP3_DIRECTORY=str(tmp_path / "profile"))
    assert (tmp_path / "profile" / "plug-ins" / "stable-horde" / "stable-horde.py").exists()


def test_the_archive_has_the_program_with_its_executable_bit(tmp_path):
    install(tmp_path, "--zip", str(tmp_path / "packed.zip"))
    with zipfile.ZipFile(tmp_path / "packed.zip") as archive:
        program = archive.getinfo("stable-horde/stable-horde.py")
        names = archive.namelist()
    assert (program.external_attr >> 16) & 0o111 == 0o111
    assert "stable-horde/locale/de/LC_MESSAGES/stable-horde.mo" in names
    assert not [name for name in names if "__pycache__" in name]
    assert [path.name for path in tmp_path.iterdir()] == ["packed.zip"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_complete_and_its_texts_have_the_same_fields(language):
    translated = read(TRANSLATIONS / f"{language}.po")
    assert set(translated) == {*messages(), ("", "")}
    for message, texts in translated.items():
        assert all(texts), message
        for text in texts if message.text else ():
            assert fields(text) == fields(message.plural or message.text), message


def fields(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def test_gettext_reads_what_is_compiled():
    catalogue = gettext.GNUTranslations(io.BytesIO(compiled(read(TRANSLATIONS / "de.po"))))
    assert catalogue.gettext("Cancelled.") == "Abgebrochen."
    assert catalogue.ngettext("{n} minute ago", "{n} minutes ago", 2) == "vor {n} Minuten"
