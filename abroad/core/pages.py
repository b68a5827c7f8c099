"""HTML pages from templates, escaping always on: labels and abstracts are other people's text."""

from __future__ import annotations

import io
from functools import cache
from typing import Any


def render(package: str, template: str, **values: Any) -> str:
    """A page of `templates/<template>` in a package of ours; a value that the template lacks raises."""
    page: str = _environment(package).get_template(template).render(**values)
    return page


@cache
def _environment(package: str) -> Any:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader(package, "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def svg(figure: Any) -> str:
    """A matplotlib figure as an SVG element, the same for the same figure."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()[stream.getvalue().index("<svg") :]
