"""The data sets that come with dlreg; their sources and licences are told in ``assets/samples/SOURCES.md``."""

from __future__ import annotations

from pathlib import Path

from dlreg_core.errors import NotFoundError
from dlreg_core.specs import Spec


class SampleTable(Spec):
    """A data set to try dlreg with, and the column that it is made to predict."""

    key: str
    title: str
    file: str
    target: str
    unit: str
    rows: int
    columns: int
    source: str
    licence: str
    sentence: str
    """What the rows are and what is predicted, in one sentence."""


SAMPLES: tuple[SampleTable, ...] = (
    SampleTable(
        key="california_housing",
        title="Housing prices",
        file="california_housing.csv",
        target="median_house_value",
        unit="$",
        rows=20_640,
        columns=10,
        source="1990 US census, prepared by Aurélien Géron (ageron/handson-ml2)",
        licence="Apache-2.0",
        sentence="What a house costs in 20,640 Californian districts of 1990.",
    ),
    SampleTable(
        key="concrete_strength",
        title="Concrete strength",
        file="concrete_strength.csv",
        target="compressive_strength_mpa",
        unit="MPa",
        rows=1_030,
        columns=9,
        source="I-Cheng Yeh, UCI Machine Learning Repository, doi 10.24432/C5PK67",
        licence="CC BY 4.0",
        sentence="How much pressure 1,030 concrete mixtures bear, from what is in them and their age.",
    ),
    SampleTable(
        key="bike_rentals",
        title="Bike rentals",
        file="bike_rentals.csv",
        target="rentals",
        unit="rentals",
        rows=17_379,
        columns=15,
        source="Hadi Fanaee-T, UCI Machine Learning Repository, doi 10.24432/C5W894",
        licence="CC BY 4.0",
        sentence="How many bikes are rented in each hour of two years, from the calendar and the weather.",
    ),
    SampleTable(
        key="diabetes_progression",
        title="Diabetes progression",
        file="diabetes_progression.csv",
        target="progression",
        unit="points",
        rows=442,
        columns=11,
        source="Efron, Hastie, Johnstone and Tibshirani 2004, as shipped with scikit-learn",
        licence="BSD-3-Clause (scikit-learn)",
        sentence="How far diabetes advances within a year in 442 patients, from ten measurements.",
    ),
)


def sample_path(sample: SampleTable) -> Path:
    """Return where the file of a sample is, in a checkout or in an installed package.

    Parameters
    ----------
    sample : SampleTable
        One of `SAMPLES`.

    Returns
    -------
    Path

    Raises
    ------
    NotFoundError
        If this installation comes without its samples.
    """
    core = Path(__file__).resolve().parents[2]
    for assets in (core / "_front" / "assets", core.parent / "assets"):
        path = assets / "samples" / sample.file
        if path.is_file():
            return path
    raise NotFoundError(f"The sample {sample.title} is not installed.", "Install dlreg again, or use a file of yours.")
