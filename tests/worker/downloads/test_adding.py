"""Models come by name from a hub, from CivitAI, from an address, a file or a folder."""

import json
import shutil

import pytest

import tiny_esrgan
from worker import lookup, models, upscaler
from worker.downloads import adding, sources
from worker.downloads.adding import Adder, Wanted
from worker.downloads.parts import CannotFetch
from worker.downloads.sources import Source
from worker.image import control
from worker.settings import Settings
from worker.shelf import Shelf

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def said():
    return []


@pytest.fixture
def adder(tmp_path, places, transfer, said):
    def made(token=""):
        return Adder(Shelf(tmp_path), places(token), transfer, said.append)

    return made


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def pipeline(sites, tiny_model):
    """A folder as hubs have them, with more in it than is needed."""
    files = files_of(tiny_model)
    for part in ("unet", "vae"):
        weights = files[f"{part}/diffusion_pytorch_model.safetensors"]
        files[f"{part}/diffusion_pytorch_model.fp16.safetensors"] = weights
        files[f"{part}/diffusion_pytorch_model.safetensors"] = b"twice as long" * 1000
        files[f"{part}/diffusion_pytorch_model.bin"] = b"a pickle"
    files["README.md"] = b"read me"
    files["v1.ckpt"] = b"a pickle"
    files["safety_checker/model.safetensors"] = b"not needed"
    sites.repository("me/tiny", files, licence="creativeml-openrail-m")
    return files


async def test_a_folder_comes_from_a_hub(adder, pipeline, tmp_path, said):
    kept = await adder().add(Wanted("A Model", "image", Source(hub="me/tiny")))
    folder = tmp_path / "models" / "A-Model"
    assert models.inspect("A Model", folder).native == 128
    assert Shelf(tmp_path).read() == {"A Model": kept}
    assert (kept.licence, kept.source) == ("creativeml-openrail-m", "hub:me/tiny")
    assert "licence: creativeml-openrail-m" in said
    there = set(files_of(folder))
    assert there == set(kept.files)
    assert "unet/diffusion_pytorch_model.safetensors" in there
    assert not [one for one in there if "fp16" in one or one.endswith((".bin", ".ckpt", ".md"))]
    half = (folder / "unet" / "diffusion_pytorch_model.safetensors").read_bytes()
    assert half == pipeline["unet/diffusion_pytorch_model.fp16.safetensors"]
    assert sorted(one.name for one in (tmp_path / "models").iterdir()) == ["A-Model", "models.json"]


async def test_what_was_broken_off_is_gone_on_with(sites, adder, pipeline, tmp_path):
    sites.faults.extend([("none",)] * 3 + [("status", 404, {})])
    with pytest.raises(CannotFetch):
        await adder().add(Wanted("m", "image", Source(hub="me/tiny")))
    assert Shelf(tmp_path).read() == {}
    before = len(sites.of_the_store())
    await adder().add(Wanted("m", "image", Source(hub="me/tiny")))
    assert before == 4
    fetched = [path for path, _ in sites.requests if path.startswith("store:")]
    assert len(fetched) == len(set(fetched)) + 1


async def test_an_architecture_that_is_not_served_is_found_at_once(
    sites, adder, pipeline, tmp_path
):
    pipeline["model_index.json"] = json.dumps({"_class_name": "KandinskyPipeline"}).encode()
    with pytest.raises(CannotFetch, match="a KandinskyPipeline, which this worker does not serve"):
        await adder().add(Wanted("m", "image", Source(hub="me/tiny")))
    assert len(sites.of_the_store()) == 1


async def test_a_gated_model_needs_the_token(sites, adder, pipeline, places):
    sites.gated.add("me/tiny")
    with pytest.raises(CannotFetch, match="hub_token"):
        await adder().add(Wanted("m", "image", Source(hub="me/tiny")))
    await adder(places.token).add(Wanted("m", "image", Source(hub="me/tiny")))


async def test_pickles_are_never_fetched(sites, adder, pipeline):
    for path in [path for path in pipeline if path.startswith("vae/") and "safetensors" in path]:
        del pipeline[path]
    with pytest.raises(CannotFetch, match="pickle"):
        await adder().add(Wanted("m", "image", Source(hub="me/tiny")))
    for file in ("v1.ckpt", "vae/diffusion_pytorch_model.bin"):
        with pytest.raises(CannotFetch, match="can run anything"):
            await adder().add(Wanted("m", "image", Source(hub="me/tiny", file=file)))
    assert sites.of_the_store() == []


async def test_a_wrong_checksum_leaves_nothing(sites, adder, pipeline, tmp_path):
    sites.wrong_sha256.add("unet/diffusion_pytorch_model.fp16.safetensors")
    with pytest.raises(CannotFetch, match="not what it should be"):
        await adder().add(Wanted("m", "image", Source(hub="me/tiny")))
    assert Shelf(tmp_path).read() == {}
    assert not list(tmp_path.rglob("unet/*.safetensors"))


async def test_what_nobody_has_is_said(adder):
    with pytest.raises(CannotFetch, match="no such file"):
        await adder().add(Wanted("m", "image", Source(hub="nobody/nothing")))
    with pytest.raises(CannotFetch, match="no such file"):
        await adder().add(Wanted("m", "image", Source(civitai=404)))


@pytest.mark.parametrize("path", ["../evil.safetensors", "/etc/x.json", "a\\b.json"])
async def test_a_hub_cannot_write_elsewhere(sites, adder, pipeline, tmp_path, path):
    pipeline[path] = b"evil"
    with pytest.raises(CannotFetch, match="nothing useful"):
        await adder().add(Wanted("m", "image", Source(hub="me/tiny")))
    assert sites.of_the_store() == []


async def test_an_api_that_asks_to_wait_is_waited_for(sites, adder, pipeline, slept):
    sites.api_faults.append((429, {"Retry_After": "3"}))
    await adder().add(Wanted("m", "image", Source(hub="me/tiny")))
    assert slept[0] == 3.0


@pytest.fixture
def esrgan():
    from safetensors.torch import save

    return save(tiny_esrgan.weights())


async def test_an_upscaler_comes_from_civitai(sites, adder, esrgan, tmp_path, said):
    sites.civitai(77, esrgan, base="Other")
    with pytest.raises(CannotFetch, match="is for Other"):
        await adder().add(Wanted("RealESRGAN_x4plus", "image", Source(civitai=77)))
    kept = await adder().add(Wanted("RealESRGAN_x4plus", "upscaler", Source(civitai=77)))
    assert upscaler.find([tmp_path / "models"])["RealESRGAN_x4plus"].folder.read_bytes() == esrgan
    assert "commercial use: Image" in kept.licence
    assert adding.NOT_TRIED in said


async def test_civitai_refuses_whom_it_does_not_know(sites, adder, esrgan, places):
    sites.civitai(78, esrgan, base="", login=True)
    with pytest.raises(CannotFetch, match="civitai_token"):
        await adder().add(Wanted("NMKD_Siax", "upscaler", Source(civitai=78)))
    await adder(places.token).add(Wanted("NMKD_Siax", "upscaler", Source(civitai=78, version=780)))


async def test_a_version_without_safetensors_is_refused(sites, adder):
    sites.civitai(79, b"x", name="model.ckpt")
    with pytest.raises(CannotFetch, match="safetensors"):
        await adder().add(Wanted("m", "image", Source(civitai=79)))
    with pytest.raises(CannotFetch, match="safetensors"):
        await adder().add(Wanted("m", "image", Source(civitai=79, version=790)))


async def test_an_upscaler_comes_from_an_address(sites, adder, esrgan, tmp_path):
    sites.repository("me/up", {"x.safetensors": esrgan})
    source = Source(url=f"{sites.url}/me/up/resolve/main/x.safetensors")
    await adder().add(Wanted("4x_AnimeSharp", "upscaler", source))
    assert (tmp_path / "models" / "4x_AnimeSharp.safetensors").read_bytes() == esrgan


async def test_a_file_and_a_folder_of_this_machine_are_used(adder, esrgan, tiny_model, tmp_path):
    mine = tmp_path / "mine.safetensors"
    mine.write_bytes(esrgan)
    kept = await adder().add(Wanted("RealESRGAN_x2plus", "upscaler", Source(path=mine)))
    assert mine.exists()
    kept = await adder().add(Wanted("tiny", "image", Source(path=tiny_model)))
    assert Shelf(tmp_path).path(kept) == tiny_model
    assert adding.remove(Shelf(tmp_path), kept) is False
    assert (tiny_model / "model_index.json").exists()


async def test_a_file_that_can_run_anything_is_refused(adder, tmp_path):
    mine = tmp_path / "model.ckpt"
    mine.write_bytes(b"x")
    with pytest.raises(CannotFetch, match="can run anything"):
        await adder().add(Wanted("m", "image", Source(path=mine)))
    torch_file = tmp_path / "model.pth"
    torch_file.write_bytes(b"x")
    with pytest.raises(CannotFetch, match="can run anything"):
        await adder().add(Wanted("m", "image", Source(path=torch_file)))
    with pytest.raises(CannotFetch, match="no archive"):
        await adder().add(Wanted("NMKD_Siax", "upscaler", Source(path=torch_file)))


async def test_what_is_there_is_not_added_again(adder, pipeline):
    await adder().add(Wanted("m", "image", Source(hub="me/tiny")))
    with pytest.raises(CannotFetch, match="here already"):
        await adder().add(Wanted("m", "image", Source(hub="me/tiny")))


async def test_removing_takes_the_files_too(adder, pipeline, tmp_path):
    kept = await adder().add(Wanted("m", "image", Source(hub="me/tiny")))
    assert adding.remove(Shelf(tmp_path), kept) is True
    assert [one.name for one in (tmp_path / "models").iterdir()] == ["models.json"]


async def test_a_broken_folder_does_not_come_onto_the_shelf(adder, tiny_model, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(tiny_model, broken)
    (broken / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"\x00" * 20)
    with pytest.raises(CannotFetch, match="cannot be served"):
        await adder().add(Wanted("m", "image", Source(path=broken)))
    assert Shelf(tmp_path).read() == {}


async def test_a_part_that_is_missing_is_named(adder, tiny_model, tmp_path):
    lacking = shutil.copytree(tiny_model, tmp_path / "lacking")
    (lacking / "vae" / "config.json").unlink()
    with pytest.raises(CannotFetch, match=r"served: .*/lacking: no vae/config\.json there"):
        await adder().add(Wanted("m", "image", Source(path=lacking)))


@pytest.mark.parametrize("name", ["", " ", "two\nlines", "a=b"])
async def test_what_is_no_name_is_said(adder, tiny_model, name):
    with pytest.raises(CannotFetch, match="is no name"):
        await adder().add(Wanted(name, "image", Source(path=tiny_model)))


async def test_a_language_model_comes_from_a_hub(sites, adder, tmp_path):
    import tiny_llama

    folder = tmp_path / "story"
    tiny_llama.build(folder)
    sites.repository("me/story", files_of(folder) | {"original/x.pth": b"no"})
    await adder().add(Wanted("me/story", "text", Source(hub="me/story")))
    assert models.inspect_text("story", tmp_path / "models" / "me-story").context


@pytest.fixture(scope="module")
def network(tmp_path_factory, one_thread):
    """A ControlNet, as a folder and as a file."""
    import tiny_control

    folder = tmp_path_factory.mktemp("control")
    made = tiny_control.network(tiny_control.unet("sd"))
    made.save_pretrained(folder / "folder")
    tiny_control.save(made, folder / "net.safetensors", theirs=True)
    return folder


def served(data_dir):
    """The networks that a worker finds: their control types, by their places' names."""
    found = lookup.controls(Settings(data_dir=data_dir)).networks
    return {one.place.name: set(one.control_types) for one in found}


@pytest.mark.parametrize("way", ["hub", "file of a hub", "address", "file", "folder"])
async def test_a_controlnet_comes_from_everywhere(sites, adder, network, tmp_path, way):
    file = (network / "net.safetensors").read_bytes()
    files = files_of(network / "folder") | {"diffusion_pytorch_model.bin": b"a pickle"}
    sites.repository("me/nets", files | {"net.safetensors": file})
    sources = {
        "hub": Source(hub="me/nets"),
        "file of a hub": Source(hub="me/nets", file="net.safetensors"),
        "address": Source(url=f"{sites.url}/me/nets/resolve/main/net.safetensors"),
        "file": Source(path=network / "net.safetensors"),
        "folder": Source(path=network / "folder"),
    }
    kept = await adder().add(Wanted("sd15_softedge", "controlnet", sources[way]))
    assert kept.control_types == ("hed",)
    if way == "hub":
        assert set(kept.files) == {"config.json", "diffusion_pytorch_model.safetensors"}
    assert served(tmp_path) == {Shelf(tmp_path).path(kept).name: {"hed"}}


async def test_what_a_controlnet_is_for_has_to_be_known(adder, network, tmp_path):
    source = Source(path=network / "net.safetensors")
    with pytest.raises(CannotFetch, match=r"--control .*canny.*qr"):
        await adder().add(Wanted("mine", "controlnet", source))
    await adder().add(Wanted("mine", "controlnet", source, frozenset({"depth", "qr"})))
    assert served(tmp_path) == {"mine.safetensors": {"depth", "qr"}}


async def test_what_is_no_controlnet_does_not_come_onto_the_shelf(adder, esrgan, tmp_path):
    file = tmp_path / "canny.safetensors"
    file.write_bytes(esrgan)
    with pytest.raises(CannotFetch, match="no ControlNet"):
        await adder().add(Wanted("canny", "controlnet", Source(path=file)))
    assert Shelf(tmp_path).read() == {}


def test_known_names_lead_to_their_places():
    assert sources.choose("stable_diffusion_2.1", None).hub == "stabilityai/stable-diffusion-2-1"
    assert sources.choose("Dreamshaper", "civitai").civitai == 4384
    assert sources.choose("me/llama", None).hub == "me/llama"
    assert sources.kind_of("RealESRGAN_x4plus") == "upscaler"
    with pytest.raises(CannotFetch, match="--from"):
        sources.choose("nobody knows it", None)
    with pytest.raises(CannotFetch, match="on civitai"):
        sources.choose("stable_diffusion_2.1", "civitai")


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("hub:a/b", Source(hub="a/b")),
        ("hub:a/b@dev:c/d.safetensors", Source(hub="a/b", revision="dev", file="c/d.safetensors")),
        ("a/b", Source(hub="a/b")),
        ("https://huggingface.co/a/b", Source(hub="a/b")),
        (
            "https://huggingface.co/a/b/resolve/main/c.safetensors?download=true",
            Source(hub="a/b", file="c.safetensors"),
        ),
        ("civitai:7", Source(civitai=7)),
        ("civitai:7@8", Source(civitai=7, version=8)),
        ("https://civitai.com/models/7/a-name?modelVersionId=8", Source(civitai=7, version=8)),
        ("https://civitai.com/api/download/models/8", Source(civitai=0, version=8)),
        ("https://x.example/a.safetensors", Source(url="https://x.example/a.safetensors")),
    ],
)
def test_places_are_read_as_people_write_them(place, source):
    assert sources.choose("m", place) == source


@pytest.mark.parametrize(
    "place", ["hub:a", "civitai:x", "ftp://a/b", "/nowhere/at/all", "https://"]
)
def test_what_is_no_place_is_said(place):
    with pytest.raises(CannotFetch):
        sources.choose("m", place)


def test_every_known_source_is_for_a_known_model():
    from core.catalog import reference

    names = reference.shipped().images
    images = [one.name for one in sources.catalogue().values() if one.kind == "image"]
    assert set(images) <= set(names)
    assert len(images) > 40
    upscalers = [one.name for one in sources.catalogue().values() if one.kind == "upscaler"]
    assert set(upscalers) == set(upscaler.FACTORS)
    networks = [one.name for one in sources.catalogue().values() if one.kind == "controlnet"]
    assert all(map(control.in_name, networks))


def test_names_make_folders_of_their_own():
    slugs = [adding.slug(name) for name in sources.catalogue()]
    assert len(set(slugs)) == len(slugs)
    assert adding.slug("../../etc") == "etc"
    assert adding.slug("/") == "model"
    assert adding.slug("a b") == "a-b"
