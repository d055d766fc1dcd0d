"""Names stand in the order that a reader expects."""

import itertools

from schooltrial.data.rows.ordering import places


def test_numbers_stand_by_their_value_and_accents_beside_their_letter() -> None:
    names = ["West", "Östlich", "ost 10", "Ost 2", "10", "9", "Süd"]
    expected = ["9", "10", "Ost 2", "ost 10", "Östlich", "Süd", "West"]
    assert list(places(names)) == expected


def test_the_order_does_not_depend_on_the_order_given() -> None:
    names = ["a", "A", "á", "1a", "01a"]
    orders = {tuple(places(order)) for order in itertools.permutations(names)}
    assert len(orders) == 1
