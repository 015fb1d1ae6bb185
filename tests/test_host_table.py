"""The table of hosts in the documentation says what the tests recorded."""

import pytest

from docs import host_table

REPORT = """<testsuites><testsuite>
<testcase name="loop"><properties>
  <property name="host" value="marimo 1.0"/><property name="loop" value="works"/>
</properties></testcase>
<testcase name="busy"><properties>
  <property name="host" value="marimo 1.0"/><property name="click" value="waits for the cell"/>
</properties></testcase>
<testcase name="no host"/><testcase name="skipped"><skipped/></testcase>{more}
</testsuite></testsuites>"""


def test_what_several_tests_recorded_of_a_host_is_one_row(tmp_path):
    report = tmp_path / "hosts.xml"
    report.write_text(REPORT.format(more=""))
    table = host_table.table(host_table.recorded(report))
    assert "| marimo 1.0 | works | not tried | waits for the cell |" in table.splitlines()


def test_a_failed_test_leaves_the_table_as_it_is(tmp_path):
    report = tmp_path / "hosts.xml"
    report.write_text(REPORT.format(more='<testcase name="other"><failure/></testcase>'))
    with pytest.raises(ValueError, match="other failed"):
        host_table.recorded(report)


def test_the_page_has_the_table():
    text = host_table.PAGE.read_text(encoding="utf-8")
    for host in (
        "JupyterLab 4",
        "Notebook 7",
        "marimo",
        "ipykernel 6.17",
        "ipykernel 6.31",
        "ipykernel 7.3",
        "ipykernel 7.4",
    ):
        assert f"\n| {host}" in text, f"no row of {host}: run `make hosts`"
