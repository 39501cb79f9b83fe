from types import SimpleNamespace

import pytest

from engine.gpu.card import uuid_of
from engine.gpu.watch import Watch

SMALL, LARGE = "GPU-aaaa1111-0000", "GPU-bbbb2222-0000"


@pytest.fixture
def two_cards(new_card, new_nvml):
    return new_nvml(new_card(uuid=SMALL, name="small"), new_card(uuid=LARGE, name="large"))


@pytest.mark.parametrize("visible", [None, "0", "1", "-1", ""])
def test_a_uuid_names_the_card_whatever_the_index_is(two_cards, visible):
    environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    state = Watch(LARGE, nvml=two_cards, environ=environ).read().state
    assert state.name == "large"


@pytest.mark.parametrize(
    ("visible", "name"),
    [(None, "small"), ("1", "large"), ("1,0", "large"), (" 0 ", "small"), ("GPU-bbbb", "large")],
)
def test_without_a_uuid_the_first_visible_card_is_meant(two_cards, visible, name):
    environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert Watch(nvml=two_cards, environ=environ).read().state.name == name


@pytest.mark.parametrize("visible", ["", "-1", "7", "GPU-cccc", "none"])
def test_hidden_cards_are_none_and_the_reason_names_the_variable(two_cards, visible):
    reading = Watch(nvml=two_cards, environ={"CUDA_VISIBLE_DEVICES": visible}).read()
    assert reading.state is None
    assert not reading.no_driver
    assert f"CUDA_VISIBLE_DEVICES={visible} hides" in reading.why
    assert two_cards.opened == 0


def test_a_driver_without_a_card_is_said_to_have_none(new_nvml):
    assert "finds no card" in Watch(nvml=new_nvml(), environ={}).read().why


def test_a_uuid_that_is_not_there_is_no_other_card(two_cards):
    assert Watch("GPU-cccc", nvml=two_cards, environ={}).read().state is None


def test_torchs_uuid_is_nvmls_with_a_beginning():
    properties = SimpleNamespace(uuid="bbbb2222-0000")
    torch = SimpleNamespace(cuda=SimpleNamespace(get_device_properties=lambda index: properties))
    assert uuid_of(torch, 1) == LARGE
