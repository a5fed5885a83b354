# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx's settings for the site. Run by docs/build."""

from __future__ import annotations

import pathlib
import tempfile
import typing as t
import zlib

project = "nova_ec2.cloud"
author = "The nova_ec2.cloud authors"
copyright = f"2026, {author}"
html_title = html_short_title = "nova_ec2.cloud"

extensions = ["sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
nitpicky = True
default_role = "any"
highlight_language = "YAML+Jinja"
# Messages and options are searched for as they are written.
smartquotes = False
pygments_style = "ansible"

html_theme = "sphinx_ansible_theme"
html_theme_options = {
    "prev_next_buttons_location": None,
    "show_extranav": False,
    "show_rtd_ethical_ads": False,
    "topbar_links": {},
}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_use_index = False
html_copy_source = False
html_show_sourcelink = False


def inventory() -> str:
    """A file in the form of Sphinx's inventories with what labels.txt lists."""
    lines = (pathlib.Path(__file__).parent / "labels.txt").read_text().splitlines()
    labels = [line.split(None, 3) for line in lines if line and not line.startswith("#")]
    body = "".join(f"{name} {kind} 1 {place} {title}\n" for kind, name, place, title in labels)
    head = "# Sphinx inventory version 2\n# Project: ansible\n# Version:\n# The rest is compressed using zlib.\n"
    with tempfile.NamedTemporaryFile(prefix="labels-", suffix=".inv", delete=False) as file:
        file.write(head.encode() + zlib.compress(body.encode()))
    return file.name


intersphinx_mapping = {"ansible": ("https://docs.ansible.com/projects/ansible/devel/", inventory())}


def name_as_it_is(app: t.Any, docname: str, source: list[str]) -> None:
    """The title of the first page: antsibull-docs writes every name with capitals."""
    if docname == "index":
        source[0] = source[0].replace("\nNova_Ec2.Cloud\n", f"\n{project}\n", 1)


def way_home(_app: t.Any, _docname: str, _template: str, context: dict[str, t.Any], _tree: t.Any) -> None:
    """Where the theme's link to the first page leads: it takes one address for pages in every folder."""
    context["theme_documentation_home_url"] = context["pathto"]("index")


def setup(app: t.Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", name_as_it_is)
    app.connect("html-page-context", way_home)
