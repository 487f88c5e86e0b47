"""Orders for other programs, and their way there as the engine process takes it."""

from worker.image.order import PictureOrder
from worker.proxy import renderers
from worker.proxy.renderers import Proxies
from worker.proxy.servers import Server
from worker.renderer import Stopped
from worker.text.order import TextOrder


def painter(kind, program, name="v1-5-pruned-emaonly"):
    return renderers.painters(Server(kind, program.url), None)[name]


def order(model, **how):
    usual = {"width": 512, "height": 320, "steps": 4, "cfg_scale": 7.0, "sampler": "k_euler"}
    usual |= {"karras": False, "seeds": (7,)}
    return PictureOrder(checkpoint=model, prompt="a fox", negative="rain", **usual | how)


def writer(kind, url, key=""):
    [model] = renderers.writers(Server(kind, url), None, key).values()
    return model


def writing(model, **how):
    return TextOrder(model, "Once upon a time", how.pop("length", 50), 2048, seeds=(3,), **how)


def render(order, on_step=lambda *_: None, key=""):
    proxies = Proxies(key=key)
    proxies.load(order.model)
    return proxies.render(order, on_step)


def stops_at_once(*_):
    raise Stopped
