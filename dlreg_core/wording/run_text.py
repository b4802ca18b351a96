"""How a run goes on, what it uses and what can be done with it, in words."""

from __future__ import annotations

from collections.abc import Collection

from dlreg_core.formatting import about, number, percent, size
from dlreg_core.runs import ModelProgress, ModelState, Resources, RunProgress
from dlreg_core.specs import Report
from dlreg_core.wording.plan_text import budget_words, clock, state_words

_NOW_SECONDS = 5.0
_MOST_NAMES = 3
_TIGHT = 0.92
"""Share of the machine's memory from which on it is said that it is nearly full."""


def left_words(seconds: float, budget_left: float) -> str:
    """Return how long a training will still take: "about 0:50 left", "any moment now".

    Parameters
    ----------
    seconds : float
        The estimate.
    budget_left : float
        Seconds left of the budget.
    """
    if budget_left < 0:
        return "a little longer than planned"
    if seconds < _NOW_SECONDS:
        return "any moment now"
    if seconds >= 600:
        return f"{about(seconds)} left"
    # Finer steps would pretend to know more than an estimate does.
    step = 5 if seconds < 58 else 10
    return f"about {clock(max(step, round(seconds / step) * step))} left"


def loading_words(seconds: float) -> str:
    """Return how long a run's process took to load its libraries: "Loading the libraries took 6 s, …"."""
    if seconds < 1:
        return "The libraries were loaded before the start: a process stood by."
    return f"Loading the libraries took {round(seconds):,} s, which the time limit doesn't count."


def model_state_words(model: ModelProgress) -> str:
    """Return the state of a model: "training 43 %", "done", "from before"."""
    return "from before" if model.taken and model.state is ModelState.DONE else state_words(model)


def resource_words(used: Resources, cores: int) -> str:
    """Return what a run uses: "Uses 0.9 GB of 25 GB memory and 1.0 of 2 cores."."""
    parts = [f"{size(used.memory_mb)} of {size(used.machine_mb)} memory" if used.machine_mb else size(used.memory_mb)]
    parts.append(f"{used.cpu:.1f} of {cores} {'core' if cores == 1 else 'cores'}")
    if used.gpu_memory_mb is not None:
        total = f" of {size(used.gpu_total_mb)}" if used.gpu_total_mb else ""
        busy = f", which is {percent(used.gpu_share)} busy" if used.gpu_share is not None else ""
        parts.append(f"{size(used.gpu_memory_mb)}{total} on the GPU{busy}")
    text = f"Uses {', '.join(parts[:-1])} and {parts[-1]}."
    if used.machine_used > _TIGHT:
        text += f" The machine's memory is {percent(used.machine_used)} full."
    return text


def place_words(ahead: int, seconds: float) -> str:
    """Return when a waiting run starts: "2 runs start before this one; it starts in about 4 min."."""
    before = {0: "This run is next", 1: "1 run starts before this one"}.get(
        ahead, f"{ahead:,} runs start before this one"
    )
    when = "any moment now" if seconds < _NOW_SECONDS else f"in {about(seconds)}"
    return f"{before}; it starts {when}."


def silence_words(silent: float, end_after: float) -> str:
    """Return that a run gives no sign of life, and what will come of that."""
    return (
        f"It has given no sign of life for {clock(silent)}. "
        f"It will be ended after {clock(end_after)} without one; the networks that were finished can be kept then."
    )


def finishing_words(progress: RunProgress) -> str:
    """Return what happens after somebody has said that it is enough."""
    if progress.current is not None:
        return f"Finishing: {progress.current.model} ends after this epoch, then the models are judged."
    if any(model.state is ModelState.DONE for model in progress.models):
        return "Finishing: the models are judged, and the best one is explained."
    return "Finishing: one network still sees the rows once, since without any there is nothing to keep."


def run_budget_words(report: Report) -> str:
    """Return what a run is about: "4 networks, 2 min", "4 networks, 2 min, continued for 5 min"."""
    plan = report.experiment.plan
    count = len(plan.models)
    text = f"{count} {'network' if count == 1 else 'networks'}, {budget_words(plan.time_limit)}"
    if not report.continues or (report.state.is_final and report.reason):
        # A continuation that came to nothing isn't what the run is.
        return text
    if is_keeping(report):
        return f"{text}, kept what was finished"
    return f"{text}, continued for {budget_words(report.time_limit)}"


def is_keeping(report: Report) -> bool:
    """Return True where the latest task of a run trains nothing and makes a result of what was finished."""
    return report.continues and not report.time_limit


def early_words(report: Report) -> str:
    """Return that a run ended before its time was over; empty where it didn't."""
    if report.result is None or not report.result.stopped_early:
        return ""
    return "It ended early; what was finished was kept." if is_keeping(report) else "It finished early, as asked."


def new_networks(report: Report) -> tuple[str, ...]:
    """Return the networks that were finished and can be kept: those that the run's result doesn't have yet."""
    known = {row.model for row in report.result.leaderboard if row.trained} if report.result is not None else set()
    return tuple(name for name in report.keepable if name not in known)


def keep_words(names: Collection[str]) -> str:
    """Return what the button says that makes a result of finished networks."""
    return f"Keep the {len(names)} networks that were finished" if len(names) > 1 else f"Keep {next(iter(names))}"


def continue_words(names: Collection[str], *, has_result: bool) -> str:
    """Return what more time does to a run.

    Parameters
    ----------
    names : collection of str
        Networks that were finished and aren't in the result.
    has_result : bool
        It has models that were judged.
    """
    continued = "it keeps its models and adds to them; it never gets worse on the validation rows."
    if names:
        return f"{_finished_words(names)} Keep {'it' if len(names) == 1 else 'them'}, or continue: {continued}"
    if has_result:
        return continued.capitalize()
    return "Continued, it begins anew with the same settings, since no network was finished."


def _finished_words(names: Collection[str]) -> str:
    if len(names) == 1:
        return f"{next(iter(names))} was finished by then."
    if len(names) > _MOST_NAMES:
        return f"{len(names)} networks were finished by then."
    *first, last = names
    return f"{', '.join(first)} and {last} were finished by then."


def not_continued_words(reason: str, hint: str, *, cancelled: bool) -> str:
    """Return that the latest continuation came to nothing, which leaves the run as it was."""
    unchanged = "The models from before are unchanged."
    if cancelled:
        return f"Its continuation was cancelled. {unchanged}"
    return " ".join(part for part in ("It could not be continued.", reason, hint, unchanged) if part)


def space_words(count: int, megabytes: float, keep_days: float) -> str:
    """Return how much room the runs take: "12 runs take 340 MB. Runs are deleted 30 days after they end."."""
    text = f"{count:,} runs take {size(megabytes)}." if count != 1 else f"1 run takes {size(megabytes)}."
    if keep_days <= 0:
        return text
    days = "1 day" if keep_days == 1 else f"{number(keep_days)} days"
    return f"{text} Runs are deleted {days} after they end."


def cancel_words(*, waits: bool, has_result: bool) -> str:
    """Return what is lost when a live run is cancelled."""
    kept = "The models that it has already stay." if has_result else ""
    if waits:
        return kept or "It hasn't started yet, so nothing is lost."
    return f"It ends at once. {kept or 'Networks that are finished by then can still be kept later, on this page.'}"
