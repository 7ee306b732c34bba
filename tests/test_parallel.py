from tests.parallel import own_broker


def test_each_process_has_a_database_of_the_broker_of_its_own():
    shared = "redis://user:secret@127.0.0.1:6380/0"

    found = [own_broker(shared, f"gw{place}") for place in range(4)]

    assert found[0] == "redis://user:secret@127.0.0.1:6380/1"
    assert len({shared, *found}) == 5
