"""Pictures for the articles of a website: from a CSV of articles to files and an HTML index.

    python examples/cms.py articles.csv public/

The CSV has the columns `slug`, `title`, `prompt` and, if you like, `alt`. Run it after each
change of the CSV: only what is new is made. Pictures that have no text for readers who cannot see
them get the prompt.
"""

import csv
import html
import json
import subprocess
import sys
from pathlib import Path


def main(articles: Path, site: Path) -> None:
    """Make what is missing, and write the index."""
    site.mkdir(parents=True, exist_ok=True)
    prompts = site / "prompts.csv"
    with articles.open(encoding="utf-8-sig", newline="") as read, prompts.open("w") as write:
        rows = list(csv.DictReader(read))
        writer = csv.DictWriter(write, ["prompt", "name", "title", "alt"])
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {
                    "prompt": row["prompt"],
                    "name": row["slug"],
                    "title": row["title"],
                    "alt": row.get("alt") or row["prompt"],
                }
            )
    subprocess.run(["horde", "generate", "--prompts", prompts, "--out", f"{site}/"], check=True)
    lines = (site / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    made = {entry["name"]: entry for entry in map(json.loads, lines)}
    figures = [_figure(made[row["slug"]]) for row in rows]
    page = "<!doctype html>\n<title>Articles</title>\n" + "\n".join(figures) + "\n"
    (site / "index.html").write_text(page, encoding="utf-8")


def _figure(entry: dict[str, object]) -> str:
    row = entry["row"]
    assert isinstance(row, dict)  # noqa: S101 - the manifest says so
    file, alt, title = map(html.escape, (str(entry["file"]), str(row["alt"]), str(row["title"])))
    return f'<figure><img src="{file}" alt="{alt}"><figcaption>{title}</figcaption></figure>'


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
