"""`horde teams` and `horde styles`."""

from typing import Annotated

import typer

from cli.groups import confirm, group
from cli.session import Session, command

Yes = Annotated[bool, typer.Option("--yes", help="Without asking again.")]
Team = Annotated[str, typer.Argument(metavar="TEAM", help="A team's name or id.")]
Style = Annotated[str, typer.Argument(metavar="STYLE", help="A style's name or id.")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")]
Info = Annotated[str | None, typer.Option(metavar="TEXT", help="What it says of itself.")]

teams = group("List teams, show one, found and change your own.")
styles = group("List styles, show one, write and delete your own.")


async def _list_teams(session: Session) -> None:
    """List teams."""
    from cli import listings

    found = await session.client.teams.all()
    session.show(found, listings.teams(found))


async def _show_team(session: Session, which: Team) -> None:
    """Show a team."""
    from cli import community, listings

    found = await community.team(session.client, which)
    session.show(found, listings.team(found))


async def _create_team(session: Session, name: NewName, *, info: Info = None) -> None:
    """Found a team; trusted users may."""
    from core.wire.teams import CreateTeamInput

    given = {"name": name} | ({"info": info} if info else {})
    made = await session.client.teams.create(CreateTeamInput.model_validate(given))
    session.show(made, f"{made.name} is founded: {made.id}")


async def _edit_team(
    session: Session,
    which: Team,
    *,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Call it so.")] = None,
    info: Info = None,
) -> None:
    """Change a team of yours."""
    from cli import community
    from core.wire.teams import ModifyTeamInput

    given = {key: value for key, value in {"name": name, "info": info}.items() if value}
    changes = ModifyTeamInput.model_validate(given)
    found = await community.team(session.client, which)
    made = await session.client.teams.edit(str(found.id), changes)
    session.show(made, f"{made.id} is changed.")


async def _delete_team(session: Session, which: Team, *, yes: Yes = False) -> None:
    """Delete a team of yours; its workers stay."""
    from cli import community

    found = await community.team(session.client, which)
    confirm(f"The team {found.name} would be gone.", yes=yes)
    await session.client.teams.delete(str(found.id))
    session.show({"deleted": found.id}, f"{found.name} is deleted.")


async def _list_styles(
    session: Session,
    *,
    text: Annotated[bool, typer.Option("--text", help="Those for texts.")] = False,
    tag: Annotated[str | None, typer.Option(metavar="TAG", help="Only with this tag.")] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this model.")] = None,
    page: Annotated[int, typer.Option(metavar="N", min=1, help="25 styles each.")] = 1,
) -> None:
    """List styles, first those that are used most."""
    from cli import listings

    if text:
        texts = await session.client.text_styles.all(page, tag=tag, model=model)
        session.show(texts, listings.styles(texts))
    else:
        found = await session.client.styles.all(page, tag=tag, model=model)
        session.show(found, listings.styles(found))


async def _show_style(session: Session, which: Style) -> None:
    """Show a style for pictures."""
    from cli import community, listings

    found = await community.style(session.client, which)
    session.show(found, listings.style(found))


async def _create_style(
    session: Session,
    name: NewName,
    *,
    prompt: Annotated[
        str, typer.Option(metavar="TEXT", help="{p} is the asker's prompt, {np} the negative one.")
    ],
    model: Annotated[list[str], typer.Option(metavar="NAME", help="A model; up to five.")],
    tag: Annotated[list[str] | None, typer.Option(metavar="TAG", help="A tag; up to ten.")] = None,
    info: Info = None,
    steps: Annotated[int | None, typer.Option(metavar="N", help="Steps of the sampler.")] = None,
    cfg: Annotated[float | None, typer.Option(metavar="X", help="How the prompt guides.")] = None,
    sampler: Annotated[str | None, typer.Option(metavar="NAME", help="The sampler.")] = None,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="The sides.")] = None,
    listed: Annotated[
        bool, typer.Option("--public/--private", help="Whether it is listed.")
    ] = True,
    nsfw: Annotated[bool, typer.Option("--nsfw/--sfw", help="Whether it may be unsafe.")] = False,
) -> None:
    """Write a style for pictures."""
    from cli import parameters
    from core.wire.styles import ModelStyleInputStable

    given = {"steps": steps, "cfg": cfg, "sampler": sampler, "size": size}
    body = {"name": name, "prompt": prompt, "models": model, "tags": tag or [], "public": listed}
    body |= {"nsfw": nsfw, "params": parameters.body("", given).get("params", {})}
    body |= {"info": info} if info else {}
    made = await session.client.styles.create(ModelStyleInputStable.model_validate(body))
    notes = "".join(f"\n{one.message}" for one in made.warnings)
    session.show(made, f"{name} is written: {made.id}{notes}")


async def _delete_style(session: Session, which: Style, *, yes: Yes = False) -> None:
    """Delete a style of yours."""
    from cli import community

    found = await community.style(session.client, which)
    confirm(f"The style {found.name} would be gone.", yes=yes)
    await session.client.styles.delete(found.id)
    session.show({"deleted": found.id}, f"{found.name} is deleted.")


teams.command("list")(command(_list_teams))
teams.command("show")(command(_show_team))
teams.command("create")(command(_create_team))
teams.command("edit")(command(_edit_team))
teams.command("delete")(command(_delete_team))
styles.command("list")(command(_list_styles))
styles.command("show")(command(_show_style))
styles.command("create")(command(_create_style))
styles.command("delete")(command(_delete_style))
