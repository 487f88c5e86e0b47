from worker.idling import MOST, Idling


def test_a_server_that_does_not_hold_pops_is_asked_less_and_less():
    idling = Idling(1.0)
    pauses = [idling.seconds(0.1) for _ in range(20)]
    assert 0.9 <= pauses[0] <= 1.0
    assert max(pauses) <= MOST
    assert min(pauses[4:]) >= MOST * 0.75 - 0.1
    assert all(pause + 0.1 >= 1.0 for pause in pauses)


def test_work_makes_it_eager_again():
    idling = Idling(1.0)
    for _ in range(10):
        idling.seconds(0.0)
    idling.worked()
    assert idling.seconds(0.0) <= 1.0


def test_a_server_that_holds_pops_is_asked_again_at_once():
    idling = Idling(1.0)
    assert [idling.seconds(2.0) for _ in range(5)] == [0.0] * 5


def test_no_pause_is_no_pause():
    assert [Idling(0.0).seconds(0.0) for _ in range(5)] == [0.0] * 5
