"""The year of a date, in whatever form people and databases write it."""

import pytest

from abroad.core.record_fields import read_year, read_years


@pytest.mark.parametrize(
    ("date", "year"),
    [
        *(("2019 Mar 1", 2019), ("03/2019", 2019), (2019, 2019), ("20190301", 2019), ("201903", 2019), ("c2019", 2019)),
        *(("1998 Nov-1999 Jan", 1998), ("1998-1999 Winter", 1998), ("Winter 1998", 1998), ("1998Nov", 1998)),
        *(("1557", 1557), ("2019.0", 2019), (2019.0, 2019), ("", None), ("in press", None), ("19991", None)),
        *(("12019", None), ("20191399", None), (None, None), (["2019"], None), ("1499", None)),
    ],
)
def test_a_year_is_found_or_is_none(date, year):
    assert read_year(date) == year


def test_a_range_has_two():
    assert read_years("1998 Nov-1999 Jan") == (1998, 1999) and read_years("1998 Nov") == (1998, 1998)
    assert read_years("never") is None
