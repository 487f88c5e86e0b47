"""The core's own pages: registering, giving kudos, documents. Plain forms without scripts."""

from core.api.pages import about, login, page, register, transfer

__all__ = ["blueprint"]

blueprint = page.blueprint
"""All pages, and the files below /assets that they need."""

for _module in (register, login, transfer, about):
    blueprint.register_blueprint(_module.blueprint)
