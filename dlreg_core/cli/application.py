"""The command line: the same core as the app, for scripts and for people who like a terminal."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

import dlreg_core
from dlreg_core.checks import split_advice
from dlreg_core.checks.findings import findings
from dlreg_core.cleaning import without_formulas
from dlreg_core.cli.network_commands import model_app
from dlreg_core.cli.run_commands import AsJson, DayFirst, RunId, run_app
from dlreg_core.cli.table_commands import table_app
from dlreg_core.cli.terminal_progress import follow, print_report, say, say_whose
from dlreg_core.errors import ConflictError, DlregError, InputError, NotFoundError, PlanError
from dlreg_core.ingest.datasets import DatasetStore
from dlreg_core.ingest.inference import is_clock, named_column
from dlreg_core.jobs import checked_time_limit, gpu_names, open_run_service
from dlreg_core.logs import keep_plain
from dlreg_core.recipe import (
    CleaningSteps,
    TypedRecipe,
    draft_from_texts,
    experiment_of,
    measured_recipe,
    recipe_of,
    repeated,
    steps_from_file,
    with_advice,
)
from dlreg_core.recipe.parse_plan import TypedPlan, plan_from_texts
from dlreg_core.runs import OUT_OF_MEMORY_HINT, RunFolder, keep_private, lacked_memory, open_home, scratch_folder
from dlreg_core.scoring import Scorer
from dlreg_core.settings import load_settings
from dlreg_core.specs import Dataset, Reading, Recipe, RunState
from dlreg_core.splitting import add_own_test, check_recipe, prepared_of
from dlreg_core.wording import checked_words, held_words, start_words

app = typer.Typer(
    help="Can deep learning predict this number? Tabular regression with neural networks, honestly judged.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

# Typer's own name for every misuse of the command line; it exports only this subclass.
_UsageError: Any = typer.BadParameter.__base__


def main() -> None:
    """Run the command line; bad input ends with 2 and one line on standard error, failed work with 1."""
    keep_private()
    keep_plain()
    try:
        sys.exit(app(standalone_mode=False))
    except _UsageError as exc:
        say(exc.format_message(), err=True)
        sys.exit(2)
    except (InputError, NotFoundError, ConflictError) as exc:
        say(str(exc), err=True)
        sys.exit(2)
    except DlregError as exc:
        say(str(exc), err=True)
        sys.exit(1)
    except Exception as exc:
        if not lacked_memory(exc):
            raise
        say(f"The machine ran out of memory. {OUT_OF_MEMORY_HINT}", err=True)
        sys.exit(1)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8501,
) -> None:
    """Start the app in the browser."""
    if host not in ("127.0.0.1", "localhost", "::1"):
        say(
            f"Listening on {host}: there is no sign-in yet, so everybody who reaches this address sees all data "
            "and can start and delete runs.",
            err=True,
        )
    open_home(load_settings().home)
    front = front_folder()
    options = [f"--server.address={host}", f"--server.port={port}"]
    limit = load_settings().max_upload_mb
    os.environ["DLREG_HOME"] = str(load_settings().home)
    if "MALLOC_ARENA_MAX" not in os.environ:
        # glibc keeps freed memory apart for many threads, of which the server starts one a click. Not passed on to the
        # processes that train, whose arithmetic is another matter.
        os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.arena_max=2")
    command = [sys.executable, "-m", "streamlit", "run", str(front / "app.py"), *options]
    os.execv(sys.executable, [*command, f"--server.maxUploadSize={limit}"])


@app.command()
def train(  # noqa: PLR0913, PLR0917 - one parameter an option
    data: Annotated[Path, typer.Argument(help="The table: CSV, Excel, Parquet, Feather or JSON, packed or not.")],
    target: Annotated[str, typer.Option(help="The column to predict.")],
    time_limit: Annotated[float, typer.Option(help="Seconds for the whole run.")] = 120.0,
    preset: Annotated[str, typer.Option(help="fast, balanced or best.")] = "balanced",
    models: Annotated[str, typer.Option(help="Networks, separated by commas; all by default.")] = "",
    setting: Annotated[
        list[str] | None, typer.Option(help="A setting of a network, FAMILY.name=value; may be given several times.")
    ] = None,
    search: Annotated[str, typer.Option(help="Search for settings: random, grid or bayes.")] = "",
    search_range: Annotated[
        list[str] | None,
        typer.Option(help="Where to search: FAMILY.name=low..high or FAMILY.name=a,b,c; may be given several times."),
    ] = None,
    trials: Annotated[int | None, typer.Option(help="Networks that the search trains at most.", min=1, max=500)] = None,
    device: Annotated[
        str, typer.Option(help="Where networks are trained: cpu, gpu, or auto, which takes the faster one.")
    ] = "auto",
    drop: Annotated[str, typer.Option(help="Columns not to predict from, separated by commas.")] = "",
    transform: Annotated[
        str, typer.Option(help="The scale on which the target is learned: none, log, box-cox or yeo-johnson.")
    ] = "none",
    cleaning: Annotated[
        Path | None, typer.Option(help="A JSON file with cleaning steps, as docs/cleaning.md says.")
    ] = None,
    test_data: Annotated[Path | None, typer.Option(help="A file with the rows to judge on.")] = None,
    split: Annotated[
        str,
        typer.Option(
            help="random, stratified, time:COLUMN, group:COLUMN, or auto: random, unless that is measured to flatter."
        ),
    ] = "auto",
    gap: Annotated[
        float, typer.Option(help="By time: days, or the column's own numbers, left out between the parts.", min=0)
    ] = 0.0,
    horizon: Annotated[
        int | None,
        typer.Option(
            help="With earlier values of the target: how many steps ahead will be predicted.", min=1, max=1000
        ),
    ] = None,
    validation: Annotated[
        str, typer.Option(help="What chooses between models: auto, holdout, folds or folds:NUMBER.")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of everything that is random.")] = 0,
    name: Annotated[str, typer.Option(help="Name of the run.")] = "",
    export: Annotated[Path | None, typer.Option(help="Write the best model to this file.")] = None,
    replay: Annotated[str, typer.Option(help="Repeat what this run trained, without looking at the clock.")] = "",
    day_first: DayFirst = None,
    as_json: AsJson = False,
) -> None:
    """Train the networks on a table, and judge them against simple baselines."""
    settings = load_settings()
    run_service = open_run_service(settings)
    store = DatasetStore(settings.home, settings.owner)
    reading = Reading(day_first=day_first)
    dataset = store.add(data, data.name, reading)
    said: tuple[str, ...] = ()
    if replay:
        if setting or search or search_range:
            raise PlanError("A run is repeated with the settings that it had.", "Leave out --setting and --search.")
        target = named_column(target, dataset.column_names) or target
        experiment = repeated(run_service.folder(replay), dataset, target, name)
    else:
        plan = plan_from_texts(
            TypedPlan(
                time_limit=checked_time_limit(time_limit),
                preset=preset,
                models=models,
                setting=setting or (),
                search=search,
                search_range=search_range or (),
                trials=trials,
                device=device,
                seed=seed,
            ),
            gpu_names,
        )
        typed = TypedRecipe(
            target=target,
            drop=drop,
            transform=transform,
            steps=steps_from_file(cleaning) if cleaning is not None else CleaningSteps(),
            test_dataset=add_own_test(store, test_data, test_data.name, dataset).id if test_data else None,
            split=split,
            gap=gap,
            horizon=horizon,
            validation=validation,
            seed=seed,
        )
        recipe, said = _prepared(store, dataset, typed)
        experiment = experiment_of(dataset, recipe, plan, name)
    # What can't work is told at once, not by a run that fails.
    prepared_of(settings.home, experiment)
    warnings = () if replay else _warnings(store, dataset, experiment.recipe)
    run_id = run_service.submit(experiment)
    for line in (f"Run {run_id}", *_said(dataset, experiment.recipe), *warnings, *said):
        say(line, err=True)
    state = follow(run_service, run_id, quiet=as_json)
    if export is not None and state is RunState.COMPLETED:
        _write_model(run_service.folder(run_id), None, export)
    print_report(run_service.report(run_id), as_json=as_json)
    raise typer.Exit(0 if state is RunState.COMPLETED else 1)


@app.command()
def predict(
    model: Annotated[str, typer.Argument(help="A model file, or the identifier of a run.")],
    data: Annotated[Path, typer.Argument(help="The rows to predict: a file of the same kinds.")],
    out: Annotated[Path, typer.Option(help="Where to write: the input's columns and `prediction`.")],
    name: Annotated[str, typer.Option("--model", help="One of the run's models; the best by default.")] = "",
) -> None:
    """Predict the rows of a file with a model file or a run."""
    # Imported here: only this command loads a deep learning library.
    from dlreg_core.cleaning.raw_rows import numbered_name, read_raw_rows
    from dlreg_core.model_file import load_bundle
    from dlreg_core.pipeline.fitted_pipeline import Pipeline

    with scratch_folder() as folder:
        if Path(model).is_file():
            say_whose(Path(model), load_settings().home)
            pipeline, _ = load_bundle(Path(model), folder)
        else:
            run = open_run_service(load_settings()).folder(model)
            if run.result() is None:
                raise ConflictError(f"Run {model} has no models.", "Train it first.")
            pipeline = Pipeline(run.model_path())
        rows = read_raw_rows(data, pipeline.schema)
        found = pipeline.predicted(rows, name or None)
        for sentence in pipeline.warnings(rows, name or None):
            say(sentence, err=True)
    _write_rows(rows.assign(**{numbered_name(column, rows): found[column].to_numpy() for column in found.columns}), out)


@app.command()
def export(
    run_id: RunId,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    model: Annotated[str, typer.Option(help="Name of the model; the best by default.")] = "",
    no_rows: Annotated[
        bool, typer.Option("--no-rows", help="Leave out reference rows and typical values; it can't test itself then.")
    ] = False,
) -> None:
    """Write a trained model as one file that works without this program."""
    _write_model(open_run_service(load_settings()).folder(run_id), model or None, out, with_rows=not no_rows)


def front_folder() -> Path:
    """Return the folder of the browser app: inside the package where it was installed, beside it in a checkout."""
    package = Path(dlreg_core.__file__).resolve().parent
    packed = package / "_front"
    return packed if packed.is_dir() else package.parent


def _said(dataset: Dataset, recipe: Recipe) -> tuple[str, ...]:
    """Return what is learned in another form than it stands in the file."""
    if not is_clock(dataset.column(recipe.target)):
        return ()
    return (f"{recipe.target} holds times: they are predicted as a number of seconds.",)


def _prepared(store: DatasetStore, dataset: Dataset, typed: TypedRecipe) -> tuple[Recipe, tuple[str, ...]]:
    """Return the recipe that was typed, and what is said of a split that was measured to be honest."""
    draft = draft_from_texts(dataset, typed)
    recipe = recipe_of(dataset, draft)
    if draft.split_chosen:
        return recipe, ()
    check_recipe(dataset, recipe)
    advice = split_advice(dataset, store.sample(dataset.id), measured_recipe(dataset, draft))
    started = recipe_of(dataset, with_advice(draft, advice))
    return started, start_words(advice, recipe.split, started.split, recipe.unit)


def _warnings(store: DatasetStore, dataset: Dataset, recipe: Recipe) -> tuple[str, ...]:
    """Return what makes results wrong if nobody looks, such as columns that give the target away."""
    found = findings(dataset, store.sample(dataset.id), recipe.target)
    used = {*recipe.features, recipe.target}
    return tuple(f"Warning: {f.title}: {f.advice}" for f in found if f.severity == "high" and {*f.columns} <= used)


def _write_model(run: RunFolder, model: str | None, out: Path, *, with_rows: bool = True) -> None:
    result = run.result()
    if result is None:
        raise ConflictError(f"Run {run.id} has no models.", "Train it first.")
    models = [row.model for row in result.leaderboard if row.trained]
    if model is not None and model not in models:
        raise NotFoundError(f"Run {run.id} has no model {model!r}.", f"Choose from {', '.join(models)}.")
    scorer = Scorer()
    try:
        exported = scorer.export(run, model, out.resolve(), with_rows=with_rows)
    finally:
        scorer.close()
    say(f"{out}: {exported.model}, {exported.size_mb:.1f} MB. {checked_words(exported)}", err=True)
    for sentence in held_words(exported.held):
        say(f"- {sentence}", err=True)


def _write_rows(rows: pd.DataFrame, out: Path) -> None:
    # All of it or nothing, also where the command is killed; not where it goes to a terminal or into a pipe.
    whole = out.is_file() or not out.exists()
    target = out.resolve() if out.is_file() else out
    place = target.with_name(f".{target.name}.part") if whole else out
    try:
        if out.suffix == ".parquet":
            rows.to_parquet(place, index=False)
        else:
            without_formulas(rows).to_csv(place, index=False)
        if whole:
            place.replace(target)
    except OSError as exc:
        if whole:
            with suppress(OSError):
                place.unlink()
        raise InputError(f"{out} can't be written.", "Choose another place.") from exc


app.add_typer(run_app)
app.add_typer(model_app)
app.add_typer(table_app)
