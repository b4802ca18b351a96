"""Western or Central Europe: files in an encoding of one byte that tell their language by a few names."""

from __future__ import annotations

import pytest

from dlreg_core.ingest.formats.text.encoding import to_utf8

WESTERN = {
    "Spanish": "Madrid Ávila Logroño Cádiz Coruña León Málaga",
    "Spanish, one letter": "Logroño Coruña Madrid",
    "Portuguese": "São_Paulo Brasília Belém João_Pessoa Maceió",
    "French": "Orléans Besançon Nîmes Angoulême Genève à_louer",
    "German": "Zürich München Köln Straße",
    "Italian": "Forlì Cefalù città qualità perché",
    "Swedish": "Malmö Göteborg Västerås Örebro",
    "Danish": "Århus Ærø København",
    "Icelandic": "Reykjavík Ísafjörður Þingvellir",
}
CENTRAL = {
    "Polish": "Łódź Kraków Poznań Gdańsk Wrocław",
    "Polish, one letter": "Poznań Toruń Gdańsk",
    "Czech": "Plzeň Třebíč Kroměříž Příbram Ústí",
    "Hungarian": "Győr Székesfehérvár Kecskemét Szűcs",
    "Romanian": "Bucureşti Iaşi Timişoara Brăila Constanţa",
    "Croatian": "Šibenik Čakovec Varaždin Đakovo",
}


@pytest.mark.parametrize("rows", [12, 120])
@pytest.mark.parametrize(
    ("encoding", "names"),
    [*(("cp1252", names) for names in WESTERN.values()), *(("cp1250", names) for names in CENTRAL.values())],
)
def test_names_of_places_tell_the_encoding(encoding: str, names: str, rows: int) -> None:
    towns = [name.replace("_", " ") for name in names.split()]
    text = "town;rent\n" + "".join(f"{towns[i % len(towns)]};{300 + i * 7}\n" for i in range(rows))
    assert to_utf8(text.encode(encoding))[0].decode() == text
