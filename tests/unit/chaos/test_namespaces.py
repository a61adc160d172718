from __future__ import annotations

from tests.chaos.namespaces import Drop, cut_between, cut_off, lossy, ruleset

EMPTY = """table bridge chaos
delete table bridge chaos
table bridge chaos {
  chain forward {
    type filter hook forward priority 0; policy accept;
  }
}
"""


def rules(*faults: tuple[Drop, ...]) -> list[str]:
    text = ruleset({str(index): drops for index, drops in enumerate(faults)})
    return [line.strip() for line in text.splitlines() if line.strip().endswith("drop")]


def test_no_fault_is_an_empty_chain_in_place_of_the_one_before() -> None:
    assert ruleset({}) == EMPTY


def test_cut_off_in_both_directions() -> None:
    assert rules(cut_off(2)) == ['iifname "p2" drop', 'oifname "p2" drop']


def test_between_two_and_one_way() -> None:
    assert rules(cut_between(1, 3)) == [
        'iifname "p1" oifname "p3" drop',
        'iifname "p3" oifname "p1" drop',
    ]
    assert rules((Drop(1, 3),)) == ['iifname "p1" oifname "p3" drop']


def test_loss() -> None:
    assert rules(lossy(1, 20)) == [
        'iifname "p1" numgen random mod 100 < 20 drop',
        'oifname "p1" numgen random mod 100 < 20 drop',
    ]


def test_faults_hold_side_by_side() -> None:
    assert len(rules(cut_off(1), cut_between(2, 3), lossy(2, 5))) == 6
