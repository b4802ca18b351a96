"""The family of this program: its arithmetic against numpy, and its networks side by side against single ones."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from autogluon.tabular.registry import ag_model_registry
from sklearn.linear_model import Ridge

from dlreg_core.array_types import Floats
from dlreg_core.errors import PlanError
from dlreg_core.networks import family, settings_of
from dlreg_core.networks.epoch_watch import EpochFigures, EpochWatch
from dlreg_core.networks.feedforward.inputs import Inputs
from dlreg_core.networks.feedforward.linear import linear_path
from dlreg_core.networks.feedforward.loop import (
    Lesson,
    Part,
    kept_inputs,
    make_optimizer,
    predicted,
    rate,
    shuffled_steps,
    teach,
)
from dlreg_core.networks.feedforward.losses import loss_of, penalty
from dlreg_core.networks.feedforward.model import FeedForwardModel, most_bins
from dlreg_core.networks.feedforward.network import ACTIVATIONS, EMBEDDINGS, Network, Shape, quantile_edges

pytestmark = pytest.mark.usefixtures("quiet")

LESSON = Lesson(
    optimizer="sgd",
    learning_rate=0.05,
    weight_decay=0.0,
    l1=0.0,
    l2=0.0,
    schedule="constant",
    warmup=0.0,
    batch_size=20,
    epochs=2,
    early_stopping=0,
    seed=3,
)
SHAPE = Shape(
    numbers=3,
    flags=2,
    level_counts=(5, 12),
    hidden=(8, 6),
    activation="silu",
    dropout=0.0,
    batch_norm=False,
    embedding="none",
    members=4,
)


def rows(count: int = 300, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "a": rng.uniform(-2, 2, count),
            "b": rng.normal(size=count),
            "hour": rng.integers(0, 24, count),
            "kind": pd.Categorical(rng.choice(["x", "y"], count)),
            "town": pd.Categorical(rng.choice([f"t{i}" for i in range(20)], count)),
        }
    )
    frame.loc[::9, "b"] = np.nan
    target = 1000 + 50 * frame["a"] + 30 * (frame["kind"] == "x") + 20 * np.sin(frame["hour"] / 4)
    return frame, (target + rng.uniform(-10, 10, count)).rename("y")


def part(count: int = 60, shape: Shape = SHAPE, seed: int = 0) -> Part:
    drawing = torch.Generator().manual_seed(seed)
    codes = [torch.randint(0, levels, (count,), generator=drawing) for levels in shape.level_counts]
    return Part(
        torch.randn(count, shape.numbers, generator=drawing),
        torch.randint(0, 2, (count, shape.flags), generator=drawing).float(),
        torch.stack(codes, dim=1) if codes else torch.zeros(count, 0, dtype=torch.long),
        torch.randn(count, generator=drawing),
        torch.zeros(count),
    )


def network(shape: Shape = SHAPE, train: Part | None = None) -> Network:
    edges = quantile_edges((train or part(shape=shape)).numbers, 4)
    return Network(shape, edges, torch.Generator().manual_seed(1))


def outputs(net: Network, given: Part) -> torch.Tensor:
    """Return each member's predictions."""
    members = net.shape.members
    numbers, codes = given.numbers.expand(members, -1, -1), given.codes.expand(members, -1, -1)
    told: torch.Tensor = net(net.fixed(numbers, given.flags.expand(members, -1, -1)), numbers, codes)
    return told


def alone(net: Network, member: int) -> Network:
    """Return one of the networks side by side, as a network of its own."""
    single = network(replace(net.shape, members=1))
    state = {}
    for name, value in net.state_dict().items():
        if name in ("low", "widths", "used"):
            state[name] = value
        elif name == "offsets":
            state[name] = value[:1]
        elif name.startswith(("norm_", "mean_", "variance_")):
            state[name] = value.reshape(net.shape.members, -1)[member]
        else:
            state[name] = value[member : member + 1]
    single.load_state_dict(state)
    return single


def fit(path: Path, *, count: int = 300, watch: EpochWatch | None = None, **settings: Any) -> FeedForwardModel:
    model = FeedForwardModel(
        path=str(path),
        name="m",
        problem_type="regression",
        eval_metric="rmse",
        hyperparameters={"epochs": 4, "hidden": [16], "members": 2, "batch_size": 32, "seed": 5} | settings,
    )
    (x, y), (x_val, y_val) = rows(count), rows(80, 1)
    with family("FEEDFORWARD").training(model, watch or EpochWatch()):
        model.fit(X=x, y=y, X_val=x_val, y_val=y_val, num_cpus=1, num_gpus=0, verbosity=0)
    return model


# --- losses ----------------------------------------------------------------------------------------------------------


def by_hand(name: str, error: Floats) -> Floats:
    """Return the loss of `error`, target less prediction, in target units."""
    if name == "mse":
        return error**2
    if name == "mae":
        return np.asarray(np.abs(error))
    if name == "huber":
        return np.where(np.abs(error) <= 30, error**2 / 2, 30 * (np.abs(error) - 15))
    return np.where(error >= 0, 0.9 * error, -0.1 * error)


@pytest.mark.parametrize("name", ["mse", "mae", "huber", "quantile"])
def test_losses_are_what_the_books_say(name: str) -> None:
    rng = np.random.default_rng(0)
    std, target, predicted_ = 40.0, rng.normal(size=500), rng.normal(size=500)
    loss = loss_of(name, target_std=std, huber_delta=30.0, quantile=0.9)
    found = loss(torch.tensor(predicted_), torch.tensor(target)).numpy()
    # Squared errors shrink with the square of the scale, all others with the scale: Huber's is both.
    power = 2 if name in ("mse", "huber") else 1
    assert found * std**power == pytest.approx(by_hand(name, std * (target - predicted_)))


def test_penalties_have_the_gradient_of_absolute_and_squared_weights() -> None:
    weight = torch.tensor([[1.5, -0.5], [0.25, -2.0]], requires_grad=True)
    total = penalty([weight], l1=0.1, l2=0.01)
    assert isinstance(total, torch.Tensor)
    assert float(total.detach()) == pytest.approx(0.1 * 4.25 + 0.01 * (2.25 + 0.25 + 0.0625 + 4.0))
    total.backward()  # type: ignore[no-untyped-call]
    assert weight.grad is not None
    assert weight.grad.numpy() == pytest.approx((0.1 * weight.sign() + 0.02 * weight).detach().numpy())


@pytest.mark.parametrize("penalised", ["l1", "l2"])
def test_penalties_draw_the_weights_to_zero(tmp_path: Path, penalised: str) -> None:
    def size(model: FeedForwardModel) -> float:
        return sum(float(weight.detach().abs().sum()) for weight in model.model.weights)

    free = fit(tmp_path / "free", weight_decay=0.0)
    chosen: dict[str, Any] = {penalised: 0.05}
    assert size(fit(tmp_path / "held", weight_decay=0.0, **chosen)) < 0.8 * size(free)


# --- networks side by side -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_networks_side_by_side_are_what_each_is_alone(embedding: str, batch_norm: bool) -> None:
    net = network(replace(SHAPE, embedding=embedding, batch_norm=batch_norm))
    for training in (True, False):
        net.train(training)
        together = outputs(net, part())
        for member in range(SHAPE.members):
            single = alone(net, member).train(training)
            assert torch.allclose(outputs(single, part())[0], together[member], atol=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
def test_a_step_teaches_each_network_as_if_it_were_alone(optimizer: str) -> None:
    lesson = replace(LESSON, optimizer=optimizer, weight_decay=0.1, learning_rate=0.01)
    net = network(replace(SHAPE, embedding="periodic"))
    singles = [alone(net, member) for member in range(SHAPE.members)]
    for taught in (net, *singles):
        step = make_optimizer(taught, lesson)
        for _ in range(3):
            (outputs(taught, part()) - part().target).square().mean(dim=1).sum().backward()  # type: ignore[no-untyped-call]
            step.step()
            step.zero_grad()
    together = outputs(net, part())
    for member, single in enumerate(singles):
        assert torch.allclose(outputs(single, part())[0], together[member], atol=1e-4)


def test_every_network_sees_all_rows_once_an_epoch_in_an_order_of_its_own() -> None:
    train, net = part(61), network()
    steps = list(shuffled_steps(net, train, 4, torch.Generator().manual_seed(0)))
    assert sum(step[3].shape[1] for step in steps) == 61
    assert {step[3].shape[1] for step in steps} <= {15, 16}
    seen = torch.cat([step[3] for step in steps], dim=1)
    for member in seen:
        assert torch.equal(member.sort().values, train.target.sort().values)
    assert not torch.equal(seen[0], seen[1])


def test_steps_are_the_same_whether_inputs_are_kept_or_computed_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = replace(SHAPE, embedding="piecewise_linear")
    train = part(61, shape)
    net = network(shape, train)
    kept = net.fixed(train.numbers, train.flags)
    usual = list(shuffled_steps(net, train, 4, torch.Generator().manual_seed(0), kept))
    monkeypatch.setattr("dlreg_core.networks.feedforward.loop._CHUNK_VALUES", 1)
    chunked = list(shuffled_steps(net, train, 4, torch.Generator().manual_seed(0)))
    for one, other in zip(usual, chunked, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_many_inputs_are_kept_in_half_precision_but_for_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = replace(SHAPE, embedding="piecewise_linear")
    train = part(61, shape)
    net = network(shape, train)
    exact = kept_inputs(net, train)
    assert exact is not None and exact.dtype == torch.float32
    monkeypatch.setattr("dlreg_core.networks.feedforward.loop._KEPT_VALUES", 10)
    monkeypatch.setattr("dlreg_core.networks.feedforward.loop._CHUNK_VALUES", 100)
    half = kept_inputs(net, train)
    assert half is not None and half.dtype == torch.float16
    generators = (torch.Generator().manual_seed(0) for _ in range(2))
    usual, halved = (list(shuffled_steps(net, train, 4, g, k)) for g, k in zip(generators, (exact, half), strict=True))
    for one, other in zip(usual, halved, strict=True):
        assert other[0].dtype == torch.float32
        assert torch.allclose(one[0], other[0], atol=5e-4)
        assert torch.equal(one[0][..., : shape.numbers], other[0][..., : shape.numbers])
        assert all(torch.equal(a, b) for a, b in zip(one[1:], other[1:], strict=True))
    monkeypatch.setattr("dlreg_core.networks.feedforward.loop._KEPT_HALVES", 20)
    assert kept_inputs(net, train) is None


def test_plain_layers_are_products_sums_and_activations() -> None:
    shape = replace(SHAPE, level_counts=(), activation="tanh", members=1)
    given = part(shape=shape)
    net = network(shape, given)
    x = np.concatenate([given.numbers.numpy(), given.flags.numpy()], axis=1)
    layers = [(w[0].detach().numpy(), b[0].detach().numpy()) for w, b in zip(net.weights, net.biases, strict=True)]
    for weights, bias in layers[:-1]:
        x = np.tanh(x @ weights + bias)
    weights, bias = layers[-1]
    assert predicted(net, given).numpy() == pytest.approx((x @ weights + bias)[:, 0], abs=1e-5)


def test_the_piecewise_linear_encoding_is_the_papers() -> None:
    numbers = torch.linspace(-1, 2, 40).reshape(-1, 1)
    shape = replace(SHAPE, numbers=1, flags=0, level_counts=(), embedding="piecewise_linear")
    edges = quantile_edges(numbers, 5)
    net = Network(shape, edges, torch.Generator())
    found = net.fixed(numbers, torch.zeros(40, 0))[:, 1:].numpy()
    ends, x = edges[0].numpy(), numbers[:, 0].numpy()
    for i, (low, high) in enumerate(pairwise(ends)):
        assert found[:, i] == pytest.approx(np.clip((x - low) / (high - low), 0, 1), abs=1e-6)
    inside = np.histogram(x, ends)[0]
    assert inside.max() - inside.min() <= 2


def test_a_number_with_few_values_has_an_edge_at_each() -> None:
    edges = quantile_edges(torch.tensor([[3.0], [1.0], [7.0], [1.0]]), 5)
    assert edges.tolist() == [[1.0, 3.0, 7.0, 7.0, 7.0, 7.0]]


def test_dropout_leaves_out_its_share_and_keeps_the_mean() -> None:
    from dlreg_core.networks.feedforward.network import _thinned

    torch.manual_seed(0)
    found = _thinned(torch.ones(50, 1001), 0.3)
    assert float((found == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert float(found.mean()) == pytest.approx(1.0, abs=0.01)


# --- how it is taught ------------------------------------------------------------------------------------------------


def test_schedules() -> None:
    assert [rate("constant", 0.0, done) for done in (0.0, 0.5, 1.0)] == [1.0, 1.0, 1.0]
    assert [rate("constant", 0.2, done) for done in (0.0, 0.1, 0.2, 1.0)] == pytest.approx([0.0, 0.5, 1.0, 1.0])
    assert [rate("cosine", 0.0, done) for done in (0.0, 0.5, 1.0)] == pytest.approx([1.0, 0.5, 0.0])
    assert [rate("cosine", 0.5, done) for done in (0.25, 0.5, 0.75)] == pytest.approx([0.5, 1.0, 0.5])
    assert [rate("one_cycle", 0.0, done) for done in (0.0, 0.3, 0.65, 1.0)] == pytest.approx([0.04, 1.0, 0.5, 0.0])


def test_the_best_epoch_is_what_stays() -> None:
    train, validation, net = part(seed=1), part(seed=2), network()
    told: list[float] = []

    class Ended(EpochWatch):
        def passed(self, validation: float, planned: int | None) -> bool:
            assert planned == 30
            told.append(validation)
            return False

    lesson = replace(LESSON, epochs=30, optimizer="adam")
    mse = loss_of("mse", target_std=1.0, huber_delta=1.0, quantile=0.5)
    rmse = lambda predicted, target: float((predicted - target).square().mean().sqrt())  # noqa: E731
    best = teach(net, train, validation, mse, lesson, error_of=rmse, watch=Ended())
    assert len(told) == 30
    assert told[best - 1] == min(told) < told[-1]
    kept = float((predicted(net, validation) - validation.target).square().mean().sqrt())
    assert kept == pytest.approx(min(told), rel=1e-6)


def test_early_stopping_waits_for_its_epochs(tmp_path: Path) -> None:
    seen: list[EpochFigures] = []
    fit(tmp_path, epochs=500, early_stopping=3, learning_rate=0.05, watch=EpochWatch(on_epoch=seen.append))
    errors = [figures.validation or np.inf for figures in seen]
    assert len(errors) < 500
    assert int(np.argmin(errors)) == len(errors) - 4


# --- the linear path ------------------------------------------------------------------------------------------------


def straight_rows(count: int, seed: int, bend: float = 0.0) -> tuple[pd.DataFrame, pd.Series]:
    """Return a table whose target is a line of its columns, or bends with one of them."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(count, 4)), columns=list("abcd"))
    frame["a"] = np.exp(frame["a"])
    told = frame @ np.array([2.0, -1.0, 0.5, 0.0]) + bend * np.sin(3 * frame["b"]) + 0.2 * rng.normal(size=count)
    return frame, (100 + 10 * told).rename("y")


def fit_straight(path: Path, bend: float, **settings: Any) -> tuple[FeedForwardModel, float]:
    """Return a network, and its error on new rows relative to ridge regression's."""
    model = FeedForwardModel(
        path=str(path),
        name="m",
        problem_type="regression",
        eval_metric="rmse",
        hyperparameters={"epochs": 5, "hidden": [16], "members": 2, "batch_size": 32, "seed": 5} | settings,
    )
    (x, y), (x_val, y_val), (x_new, y_new) = (straight_rows(n, seed, bend) for n, seed in ((240, 0), (80, 1), (500, 2)))
    model.fit(X=x, y=y, X_val=x_val, y_val=y_val, num_cpus=1, num_gpus=0, verbosity=0)
    ridge = Ridge(1e-3).fit(x, y)
    errors = [float(np.sqrt(np.mean((told.predict(x_new) - y_new) ** 2))) for told in (model, ridge)]
    return model, errors[0] / errors[1]


def test_a_linear_table_is_learned_linearly(tmp_path: Path) -> None:
    model, error = fit_straight(tmp_path / "on", 0.0)
    assert model._line is not None
    assert error < 1.03
    _, without = fit_straight(tmp_path / "off", 0.0, linear_path=False)
    assert without > 1.5
    model.save()
    loaded = FeedForwardModel.load(model.path)
    new, _ = straight_rows(50, 7)
    np.testing.assert_allclose(loaded.predict(new), model.predict(new), rtol=1e-6)


def test_the_line_alone_is_told_of_as_what_was_there_before_the_first_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[EpochFigures] = []
    monkeypatch.setattr(FeedForwardModel, "watch", EpochWatch(on_epoch=told.append))
    model, _ = fit_straight(tmp_path / "m", 0.0, learning_rate=0.3)
    first, *later = told
    assert (first.epoch, first.train_loss, [figures.epoch for figures in later]) == (0, None, [1, 2, 3, 4, 5])
    # Steps of that size spoil what the line knows: it is what is kept.
    assert first.validation is not None
    assert first.validation < min(figures.validation or np.inf for figures in later)
    x_val, y_val = straight_rows(80, 1)
    error = float(np.sqrt(np.mean((model.predict(x_val) - y_val) ** 2)))
    assert error == pytest.approx(first.validation, rel=1e-4)


def test_where_relations_bend_there_is_no_linear_path_unless_it_is_chosen(tmp_path: Path) -> None:
    model, _ = fit_straight(tmp_path / "left", 6.0)
    assert model._line is None
    model, _ = fit_straight(tmp_path / "chosen", 6.0, linear_path=True)
    assert model._line is not None


def test_the_linear_path_is_the_ridge_regression_that_the_validation_rows_prefer() -> None:
    rng = np.random.default_rng(0)
    x, held = rng.normal(size=(30, 6)).astype(np.float32), rng.normal(size=(40, 6)).astype(np.float32)
    weights = np.array([1.0, 0.0, 0.0, 0.3, 0.0, 0.0])
    y, held_y = x @ weights + rng.normal(size=30), held @ weights + rng.normal(size=40)
    path = linear_path(x, y, held, held_y)
    assert path is not None
    mean_eigenvalue = float(np.trace(np.cov(x.T, bias=True)) * len(x) / x.shape[1])
    ridges = [Ridge(strength * mean_eigenvalue).fit(x, y) for strength in np.logspace(-4, 4, 9)]
    best = min(ridges, key=lambda ridge: float(np.mean((held_y - ridge.predict(held)) ** 2)))
    np.testing.assert_allclose(path.weights, best.coef_, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(path.predicted(held), best.predict(held), rtol=1e-4, atol=1e-5)


def test_a_line_that_tells_nothing_is_none() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(40, 5)).astype(np.float32), rng.normal(size=40)
    assert linear_path(x, y, x, -10 * y) is None
    assert linear_path(x[:, :0], y, x[:, :0], y) is None


def test_a_value_far_out_moves_the_line_no_further_than_it_was_learned(tmp_path: Path) -> None:
    model, _ = fit_straight(tmp_path, 0.0)
    new, _ = straight_rows(3, 9)
    far = new.assign(a=[1e30, 1e9, 1e6])
    told = model.predict(far)
    assert np.isfinite(told).all()
    taught, _ = straight_rows(240, 0)
    assert float(np.ptp(told - model.predict(new.assign(a=1e12)))) < 1e-3
    assert told.max() < 100 + 10 * 2 * 12 * float(taught["a"].max())


# --- inputs ----------------------------------------------------------------------------------------------------------


def test_inputs_fill_gaps_clip_smoothly_and_know_what_they_have_not_seen() -> None:
    train = pd.DataFrame(
        {
            "n": [1.0, 2.0, 3.0, np.nan, 5.0, 6.0],
            "constant": 7.0,
            "c": pd.Categorical(["a", "a", "b", "b", "rare", None]),
        }
    )
    inputs = Inputs.fitted(train)
    assert inputs.level_counts == ()
    new = pd.DataFrame(
        {"n": [3.0, np.nan, 1e9, np.inf], "constant": 0.0, "c": pd.Categorical(["b", "rare", "new", None])}
    )
    found = inputs.encoded(new)
    assert found.numbers[:2, 0].tolist() == [0.0, 0.0]
    assert found.numbers[2, 0] == pytest.approx(3.0)
    assert found.flags[:, 0].tolist() == [0.0, 1.0, 0.0, 1.0]
    assert found.flags[:, 1:].tolist() == [[0.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    assert np.isfinite(found.numbers).all()


def test_a_category_with_many_levels_is_embedded() -> None:
    frame = pd.DataFrame({"c": pd.Categorical([f"l{i}" for i in range(20)] * 2 + [None, None])})
    inputs = Inputs.fitted(frame)
    assert inputs.level_counts == (22,)
    codes = inputs.encoded(pd.DataFrame({"c": pd.Categorical(["l0", "never", None])})).codes[:, 0]
    assert codes.tolist() == [1, 0, 21]


# --- the model -------------------------------------------------------------------------------------------------------


def test_autogluon_knows_it() -> None:
    assert ag_model_registry.key_to_cls("FEEDFORWARD") is FeedForwardModel


def test_it_learns_and_predicts_the_same_after_it_was_kept(tmp_path: Path) -> None:
    model = fit(tmp_path, epochs=40, members=4)
    x, y = rows(80, 1)
    found = model.predict(x)
    assert found.dtype == np.float32
    assert -model.score(x, y) < 0.4 * float(y.std())
    model.save()
    loaded = FeedForwardModel.load(model.path)
    assert loaded.predict(x) == pytest.approx(found, rel=1e-6)
    single = np.concatenate([loaded.predict(x.iloc[i : i + 1]) for i in range(len(x))])
    assert single == pytest.approx(found, rel=1e-5)


def test_the_same_seed_gives_the_same_network_and_another_one_another(tmp_path: Path) -> None:
    x, _ = rows(80, 1)
    first = fit(tmp_path / "1", dropout=0.3).predict(x)
    torch.rand(3)
    assert (fit(tmp_path / "2", dropout=0.3).predict(x) == first).all()
    assert (fit(tmp_path / "3", dropout=0.3, seed=6).predict(x) != first).any()


def test_rows_without_values_and_with_new_levels_are_predicted(tmp_path: Path) -> None:
    model = fit(tmp_path)
    x, _ = rows(4, 1)
    x["a"] = np.nan
    x["hour"] = x["hour"].astype(float)
    x.loc[0, "hour"] = np.nan
    x["town"] = pd.Categorical(["elsewhere", None, "t1", "t2"])
    assert np.isfinite(model.predict(x)).all()


def test_a_constant_target_is_predicted_as_it_is(tmp_path: Path) -> None:
    x, y = rows(60)
    model = FeedForwardModel(path=str(tmp_path), name="m", problem_type="regression", hyperparameters={"epochs": 1})
    model.fit(X=x, y=y * 0 + 5.0, X_val=x, y_val=y * 0 + 5.0, num_cpus=1, num_gpus=0, verbosity=0)
    assert np.isfinite(model.predict(x)).all()


def test_a_quantile_is_aimed_at(tmp_path: Path) -> None:
    x, y = rows(300)
    model = fit(tmp_path, loss="quantile", quantile=0.9, epochs=60, early_stopping=0)
    below = float(np.mean(y.to_numpy() < model.predict(x)))
    assert below > 0.7


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"activation": "step"},
            "Activation of Feed-forward must be one of relu, sigmoid, tanh, gelu, silu, not 'step'.",
        ),
        ({"members": 33}, "Networks side by side of Feed-forward must be a whole number from 1 to 32, not 33."),
        ({"momentum": 0.9}, "Feed-forward has no setting called momentum"),
    ],
)
def test_what_it_can_not_do_is_refused(tmp_path: Path, settings: dict[str, Any], told: str) -> None:
    with pytest.raises(PlanError) as caught:
        fit(tmp_path, **settings)
    assert told in str(caught.value)


def test_the_catalogue_offers_what_there_is() -> None:
    assert set(family("FEEDFORWARD").setting("activation").choices) == set(ACTIVATIONS)
    assert family("FEEDFORWARD").setting("embedding").choices == EMBEDDINGS


VALUES: dict[str, Any] = {
    "linear_path": True,
    "hidden": [7, 5],
    "activation": "gelu",
    "batch_norm": True,
    "embedding": "periodic",
    "members": 3,
    "dropout": 0.4,
    "weight_decay": 0.5,
    "l1": 0.01,
    "l2": 0.01,
    "early_stopping": 1,
    "loss": "mae",
    "huber_delta": 5.0,
    "quantile": 0.8,
    "optimizer": "sgd",
    "learning_rate": 0.02,
    "schedule": "constant",
    "warmup": 0.5,
    "batch_size": 16,
    "epochs": 2,
}
BESIDE: dict[str, dict[str, Any]] = {
    "huber_delta": {"loss": "huber"},
    "quantile": {"loss": "quantile"},
    "early_stopping": {"learning_rate": 0.3},
}


@pytest.mark.parametrize("name", [known.name for known in settings_of("FEEDFORWARD")])
def test_every_setting_changes_what_is_learned(tmp_path: Path, name: str) -> None:
    beside: dict[str, Any] = {"epochs": 12} | BESIDE.get(name, {})
    x, _ = rows(80, 1)
    usual = fit(tmp_path / "usual", **beside).predict(x)
    seen: list[EpochFigures] = []
    chosen = fit(tmp_path / "chosen", **(beside | {name: VALUES[name]}), watch=EpochWatch(on_epoch=seen.append))
    if name == "early_stopping":
        assert len(seen) < 12
    else:
        assert not np.allclose(chosen.predict(x), usual, rtol=1e-6)


@pytest.mark.parametrize(("numbers", "bins"), [(0, 32), (10, 32), (500, 32), (1_000, 16), (20_000, 2)])
def test_columns_of_very_wide_tables_get_fewer_pieces(numbers: int, bins: int) -> None:
    assert most_bins(numbers) == bins
