"""Teach the database to spell names in pinyin: the keys by which staff find people.

The readings beside this file are those of Unicode's Han-Latin transliteration (ICU, CLDR), without
tones and with “v” for “ü”; a line with “+” is a reading that names also have. The function depends
on its argument alone, so an index on it is kept right by every statement that writes a name.
It takes some 25 microseconds; its cost says so, lest the planner spell all names instead of
reading the index. Another set of readings needs the index “customer_name_key” built anew.
"""

from pathlib import Path

from django.db import migrations

READINGS = Path(__file__).with_name("0018_readings.txt")
FIRST, LAST = 0x4E00, 0x9FFF
WIDTH = 6
"""The longest syllables, such as “zhuang”; each reading has this many bytes."""
KEY = """
CREATE OR REPLACE FUNCTION customers_name_key(name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 2000 AS $key$
DECLARE
    typed CONSTANT text := pg_catalog.lower(normalize(pg_catalog.left(name, 60), NFKC));
    sign text; code integer; unit text; place integer;
    units text[] := '{}'; others text[] := '{}'; count integer := 0; is_open boolean := false;
    letters text := ''; found text := '';
BEGIN
    FOR i IN 1 .. pg_catalog.char_length(typed) LOOP
        sign := pg_catalog.substr(typed, i, 1);
        code := pg_catalog.ascii(sign);
        IF code BETWEEN %(first)d AND %(last)d THEN
            EXIT WHEN count = 12;
            unit := pg_catalog.rtrim(pg_catalog.convert_from(pg_catalog.substr(
                '%(table)s'::bytea, (code - %(first)d) * %(width)d + 1, %(width)d), 'UTF8'));
            IF unit = '' THEN unit := sign; END IF;
            place := pg_catalog.strpos('%(others)s', sign);
            count := count + 1;
            units[count] := unit;
            others[count] := CASE WHEN place > 0 THEN pg_catalog.rtrim(pg_catalog.substr(
                '%(other_table)s', (place - 1) * %(width)d + 1, %(width)d)) ELSE '' END;
            is_open := false;
        ELSIF code BETWEEN 48 AND 57 OR code BETWEEN 97 AND 122 OR code >= 192
            AND code NOT BETWEEN 8192 AND 8303 AND code NOT BETWEEN 12288 AND 12292
            AND code NOT BETWEEN 12294 AND 12336 AND code <> 12539 THEN
            IF code = 252 THEN sign := 'v'; END IF;
            IF is_open THEN
                units[count] := units[count] || sign;
            ELSE
                EXIT WHEN count = 12;
                count := count + 1;
                units[count] := sign;
                others[count] := '';
                is_open := true;
            END IF;
        ELSE
            is_open := false;
        END IF;
    END LOOP;
    FOR i IN 1 .. count LOOP
        letters := letters || pg_catalog.left(units[i], 1);
    END LOOP;
    FOR i IN 1 .. count LOOP
        found := found || ' ' || pg_catalog.array_to_string(units[i:count], '');
        IF i < count THEN
            found := found || ' ' || pg_catalog.substr(letters, i);
        END IF;
        FOR j IN i .. count LOOP
            CONTINUE WHEN others[j] = '';
            found := found || ' ' || pg_catalog.array_to_string(units[i:j - 1], '') || others[j]
                || pg_catalog.array_to_string(units[j + 1:count], '');
            IF i < count THEN
                found := found || ' ' || pg_catalog.substr(letters, i, j - i)
                    || pg_catalog.left(others[j], 1) || pg_catalog.substr(letters, j + 1);
            END IF;
        END LOOP;
    END LOOP;
    RETURN found;
END
$key$;
"""
PATTERN = """
CREATE OR REPLACE FUNCTION customers_name_pattern(typed text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $pattern$
    SELECT '%% ' || nullif(split_part(customers_name_key(typed), ' ', 2), '') || '%%'
$pattern$;
"""
BACK = """
DROP FUNCTION IF EXISTS customers_name_pattern(text);
DROP FUNCTION IF EXISTS customers_name_key(text);
"""


def key_function() -> str:
    """Return the statement, with the readings as a table of fixed width inside it."""
    table = [""] * (LAST - FIRST + 1)
    others: dict[str, str] = {}
    for line in READINGS.read_text(encoding="utf-8").splitlines():
        reading, signs = line.split()
        for sign in signs:
            if reading.startswith("+"):
                others[sign] = reading[1:]
            else:
                table[ord(sign) - FIRST] = reading
    return KEY % {
        "first": FIRST,
        "last": LAST,
        "width": WIDTH,
        "table": "".join(reading.ljust(WIDTH) for reading in table),
        "others": "".join(others),
        "other_table": "".join(reading.ljust(WIDTH) for reading in others.values()),
    }


class Migration(migrations.Migration):
    dependencies = [("customers", "0017_contacts_masked")]

    operations = [
        migrations.RunSQL(
            [(key_function(), None), (PATTERN.replace("%%", "%"), None)], BACK, elidable=False
        )
    ]
