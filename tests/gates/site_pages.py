# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""site_pages.py SITE: whether a built site has all its pages and pictures, and whether its links lead somewhere."""

from __future__ import annotations

import html.parser
import pathlib
import sys
import urllib.parse
import xml.etree.ElementTree

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs" / "docsite" / "rst"


class Page(html.parser.HTMLParser):
    """What a page can be linked to by, and what it links to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = {"", "top"}
        self.links: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element's id, and where it links to."""
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value or "")
            elif name in ("href", "src", "data"):
                self.links.add(value or "")


def expected() -> set[str]:
    """The pages that there must be."""
    names = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    names |= set(runtime["plugin_routing"]["modules"])
    pages = {"index.html", *(f"{name}_module.html" for name in names)}
    pages |= {f"{path.stem}_inventory.html" for path in (ROOT / "plugins" / "inventory").glob("*.py")}
    pages |= {f"{path.name}_role.html" for path in (ROOT / "roles").iterdir() if path.is_dir()}
    return pages | {f"docsite/{path.relative_to(DOCS).with_suffix('.html')}" for path in DOCS.rglob("*.rst")}


def broken(site: pathlib.Path) -> list[str]:
    """Links within the site that lead nowhere, each with its page."""
    pages = {path.resolve(): Page(path.read_text()) for path in site.rglob("*.html")}
    found = []
    for path, page in sorted(pages.items()):
        for link in sorted(page.links):
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            place = urllib.parse.unquote(parts.path)
            target = (path.parent / place).resolve() if place else path
            anchor = urllib.parse.unquote(parts.fragment)
            if not target.is_file() or (target in pages and anchor not in pages[target].anchors):
                found.append(f"{path.relative_to(site.resolve())}: {link} leads nowhere")
    return found


def unusable(site: pathlib.Path) -> list[str]:
    """Pictures that no page shows, or that have no title for those who cannot see them."""
    found = []
    for path in DOCS.rglob("*.svg"):
        if not (site / "_images" / path.name).is_file():
            found.append(f"{path.relative_to(ROOT)} is on no page")
        if xml.etree.ElementTree.parse(path).find("{http://www.w3.org/2000/svg}title") is None:
            found.append(f"{path.relative_to(ROOT)} has no title")
    return found


def main() -> None:
    """Tell what is wrong with the site, and fail if anything is."""
    site = pathlib.Path(sys.argv[1])
    wrong = [f"{page} is missing" for page in sorted(expected()) if not (site / page).is_file()]
    wrong += broken(site) + unusable(site)
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(list(site.rglob('*.html')))} pages, all there, and no broken link.")


if __name__ == "__main__":
    main()
