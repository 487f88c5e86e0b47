"""The core's own pages: registering, giving kudos, documents. Plain forms; no script is needed."""

from core.api.pages import about, login, page, register, transfer

__all__ = ["blueprint"]

blueprint = page.blueprint
"""All pages, and the files that they need below /assets."""

for _module in (register, login, transfer, about):
    blueprint.register_blueprint(_module.blueprint)
