"""What tests use inside GIMP: `agent/agent.py` reads this and runs the tests' code with it."""

from gi.repository import Gimp, Gio


def call(procedure, image=None, layers=(), *, interactive=False, **arguments):
    """Call a procedure without a dialog; its status, message and image."""
    found = Gimp.get_pdb().lookup_procedure(f"plug-in-stable-horde-{procedure}")
    assert found, f"{procedure} is not registered"
    config = found.create_config()
    mode = Gimp.RunMode.INTERACTIVE if interactive else Gimp.RunMode.NONINTERACTIVE
    config.set_property("run-mode", mode)
    config.set_property("image", image)
    config.set_core_object_array("drawables", list(layers))
    for name, value in arguments.items():
        config.set_property(name.replace("_", "-"), value)
    values = found.run(config)
    status = values.index(0).value_nick
    if status == "success":
        return {"status": status, "message": "", "result": values.index(1), "text": values.index(2)}
    message = values.index(1) if values.length() > 1 else ""
    return {"status": status, "message": message, "result": None, "text": ""}


def plainly(called):
    """What a call gave, without the image."""
    return {name: value for name, value in called.items() if name != "result"}


def opened(path):
    """An image out of a file, not changed yet."""
    image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(f"/home/gimp/{path}"))
    image.clean_all()
    return image


def save(image, path):
    """Write what is seen of an image as PNG, in sRGB where it has a profile of its own."""
    copy = image.duplicate()
    if copy.get_color_profile() is not None and copy.get_base_type() == Gimp.ImageBaseType.RGB:
        intent = Gimp.ColorRenderingIntent.RELATIVE_COLORIMETRIC
        copy.convert_color_profile(Gimp.ColorProfile.new_rgb_srgb(), intent, True)
    Gimp.Selection.none(copy)
    copy.merge_visible_layers(Gimp.MergeType.CLIP_TO_IMAGE).resize_to_image_size()
    Gimp.file_save(
        Gimp.RunMode.NONINTERACTIVE, copy, Gio.File.new_for_path(f"/home/gimp/{path}"), None
    )
    copy.delete()


def tree(layers):
    """Layers by name, groups with what is in them."""
    return [
        [layer.get_name(), tree(layer.get_children())] if layer.is_group() else layer.get_name()
        for layer in layers
    ]
