from tests.parallel import is_long, own_broker, scope_of


def test_each_process_has_a_database_of_the_broker_of_its_own():
    shared = "redis://user:secret@127.0.0.1:6380/0"

    found = [own_broker(shared, f"gw{place}") for place in range(4)]

    assert found[0] == "redis://user:secret@127.0.0.1:6380/1"
    assert len({shared, *found}) == 5


def test_a_file_stays_together_and_the_browser_keeps_its_shop():
    assert scope_of("tests/core/test_jobs.py::test_a[b::c]") == "tests/core/test_jobs.py"
    assert scope_of("tests/browser/test_a.py::test_b") == scope_of(
        "tests/browser/test_c.py::test_d"
    )
    assert scope_of("tests/browser_setup/test_a.py::test_b") == "tests/browser_setup/test_a.py"


def test_what_takes_long_is_known_by_its_file():
    assert is_long("tests/customers/test_facts_property.py::test_a")
    assert not is_long("tests/customers/test_facts.py::test_any_property")
