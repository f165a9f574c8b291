"""The public genotypes, in the dress in which people hold them: each counts what its authors' network has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from nasctl.errors import RequestError
from nasctl.genotype_source import PUBLISHED, find
from tests.genotype_source.made import authors_count, space

PUBLIC = Path(__file__).parent / "public"

# Of networks built by the authors' code (DARTS, and the six of which others have counted them by it), the rest by
# the formula of tests/genotype_source/made.py; the millions stand in the authors' own files or papers.
COUNTS = {
    "darts.txt:NASNet": 3_830_950,
    "darts.txt:AmoebaNet": 3_145_078,
    "darts.txt:DARTS_V1": 3_169_414,
    "darts.txt:DARTS_V2": 3_349_342,
    "darts.txt:DARTS": 3_349_342,
    "pc_darts.txt:PC_DARTS_cifar": 3_634_678,
    "pc_darts.txt:PCDARTS": 3_634_678,
    "pdarts.txt": 3_433_798,
    "gdas.txt": 3_368_782,
    "gdas.txt:GDAS_V1": 3_368_782,
    "drnas.txt:DrNAS_cifar10": 4_099_294,
    "sgas.txt:Cri1_CIFAR_3": 3_795_166,
    "sgas.txt:Cri1_CIFAR_Best": 3_795_166,
    "mdenas.txt": 3_783_286,
    "rdarts_log.txt": 1_550_062,
}
BY_FORMULA = [
    "pc_darts.txt:PC_DARTS_image",
    "drnas.txt:DrNAS_imagenet",
    "sgas.txt:Cri2_CIFAR_Best",
    "snas.txt:SNAS_mild",
    "snas.txt:SNAS_moderate",
    "snas.txt:SNAS_aggressive",
    "nsas.txt:Random_NSAS",
    "nsas.txt:Random_NSAS_C",
    "enasnet.txt",
    "rdarts.yaml:s1_cifar10_wd.0.0729",
    "rdarts.yaml:s1_cifar10_wd.0.2187",
    "rdarts.yaml:s1_cifar10_dp.0.8",
    "rdarts.yaml:s4_cifar10_dp.0.8",
    "rdarts.yaml:s4_cifar10_wd.0.0729",  # with the operation noise
]
MILLIONS = {  # as the authors give them, rounded or cut after two places
    "enasnet.txt": 4.02,
    "pdarts.txt": 3.43,
    "mdenas.txt": 3.78,
    "pc_darts.txt:PC_DARTS_cifar": 3.63,
    "darts.txt:NASNet": 3.83,
}


@pytest.mark.parametrize("name", [*COUNTS, *BY_FORMULA])
def test_it_counts_to_the_digit(name: str) -> None:
    darts = space("darts")
    genotype = find(str(PUBLIC / name), darts).genotype
    assert darts.cost(genotype, "params") == COUNTS.get(name, authors_count(genotype)) == authors_count(genotype)
    if name in MILLIONS:
        assert abs(darts.cost(genotype, "params") / 1e6 - MILLIONS[name]) < 0.01


def test_sgas_counts_what_its_own_comments_say() -> None:
    """Beside each of its cells the file gives the parameters in millions."""
    said = re.findall(r"^# (Cri\d_CIFAR_\d+)\s+\S+\s+(\S+)", (PUBLIC / "sgas.txt").read_text(), re.MULTILINE)
    darts = space("darts")
    counts = {name: darts.cost(find(f"{PUBLIC / 'sgas.txt'}:{name}", darts).genotype, "params") for name, _ in said}
    assert len(said) == 12
    assert {name: round(count / 1e6, 2) for name, count in counts.items()} == {n: float(value) for n, value in said}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("darts.txt", r"darts\.txt: holds 4 genotypes, NASNet \(line 17\), AmoebaNet .* from=.*darts\.txt:NASNet$"),
        ("pc_darts.txt", "holds 2 genotypes, PC_DARTS_cifar .*, PC_DARTS_image"),
        ("snas.txt", "holds 4 genotypes, SNAS_mild .*, SNAS_mild_edge_all .*, SNAS_moderate .*, SNAS_aggressive"),
        ("rdarts.yaml", r"holds 5 genotypes, s1_cifar10_wd\.0\.0729, s1_cifar10_wd\.0\.2187"),
        ("darts.txt:DARTS_V3", "genotype: unknown 'DARTS_V3'; did you mean 'DARTS_V2'"),
        ("snas.txt:SNAS_mild_edge_all", "14 operations are one for each edge of nodes 2 to 5, but a node sums 2 here"),
        ("snas.txt:SNAS_aggresive_edge_all", "unknown 'SNAS_aggresive_edge_all'"),  # commented out
        (
            "fairdarts.txt",
            "line 2: genotype text: normal lists operations for nodes 2, 2, .* node from 2 on sums 2 here",
        ),
    ],
)
def test_what_names_no_single_cell_is_refused(name: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        find(str(PUBLIC / name), space("darts"))


def test_remarks_are_on_standard_error_and_in_the_record(capsys: pytest.CaptureFixture[str]) -> None:
    weighted = find(str(PUBLIC / "enasnet.txt"), space("darts"))
    assert weighted.record()["remarks"] == [
        f"{PUBLIC / 'enasnet.txt'}, line 2: weights after operation and state were dropped"
    ]
    logged = find(str(PUBLIC / "rdarts_log.txt"), space("darts"))
    assert logged.record()["remarks"] == [
        f"{PUBLIC / 'rdarts_log.txt'}: the last of 3 genotypes was taken, that of line 14"
    ]
    out, err = capsys.readouterr()
    assert out == "" and err.count("note: ") == 2
    assert "remarks" not in find(f"{PUBLIC / 'darts.txt'}:DARTS", space("darts")).record()


FILES = {  # where the shipped ones stand
    "PC_DARTS_cifar": "pc_darts.txt:PC_DARTS_cifar",
    "PC_DARTS_image": "pc_darts.txt:PC_DARTS_image",
    "PDARTS": "pdarts.txt",
    "GDAS_V1": "gdas.txt",
    "DrNAS_cifar10": "drnas.txt:DrNAS_cifar10",
    "DrNAS_imagenet": "drnas.txt:DrNAS_imagenet",
    "SGAS_Cri1_CIFAR_Best": "sgas.txt:Cri1_CIFAR_Best",
    "SGAS_Cri2_CIFAR_Best": "sgas.txt:Cri2_CIFAR_Best",
    "SNAS_mild": "snas.txt:SNAS_mild",
    "SNAS_moderate": "snas.txt:SNAS_moderate",
    "SNAS_aggressive": "snas.txt:SNAS_aggressive",
    "MdeNAS": "mdenas.txt",
    "Random_NSAS": "nsas.txt:Random_NSAS",
    "Random_NSAS_C": "nsas.txt:Random_NSAS_C",
    "ENASNet": "enasnet.txt",
    "NASNet": "darts.txt:NASNet",
    "AmoebaNet": "darts.txt:AmoebaNet",
    "DARTS_V1": "darts.txt:DARTS_V1",
    "DARTS_V2": "darts.txt:DARTS_V2",
}


def test_what_ships_is_what_the_authors_files_hold() -> None:
    darts = space("darts")
    assert {path.stem for path in (PUBLISHED / "darts").glob("*.json")} == set(FILES)
    for name, file in FILES.items():
        assert find(name, darts).genotype == find(str(PUBLIC / file), darts).genotype, name
        assert "https://" in json.loads((PUBLISHED / "darts" / f"{name}.json").read_text())["source"]
