"""Learns to balance a pole on a cart by trying: deep Q-learning on Gymnasium's CartPole.

    python examples/dqn_cartpole.py            until it balances well, less than half a minute
    python examples/dqn_cartpole.py --quick    4,000 steps, seconds

A network estimates what each action is worth, and learns from a memory of what happened; a second
one, which follows the first slowly, says what the next state is worth. Falling costs 1, all else
nothing. The return of an episode is the number of steps on which the pole stands, at most 500.
Random actions come to about 22; after training, the mean of 20 new episodes should be at least 195
(60 in the quick form). The program ends with an error if it is not.

Writes dqn_cartpole.png: the returns while learning, and what the network does.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import gymnasium
import numpy as np

import pydl
from pydl import layers, ops

DISCOUNT = 0.99
BATCH = 64
MEMORY = 20_000
FOLLOWING = 0.01  # of the way to the network that the second one goes on each step
FIRST_LESSON = 500  # steps before learning begins
EXPLORATION = 4_000  # steps until few actions are random
LEAST_RANDOM = 0.05
CHECK = 1_000  # steps between checks of how well it plays
SOLVED = 450  # mean return of a check at which training ends


class ReplayMemory:
    """The last MEMORY transitions; old ones make room for new ones."""

    def __init__(self, random: np.random.Generator):
        self.random = random
        self.states = np.zeros((MEMORY, 4), "float32")
        self.next_states = np.zeros((MEMORY, 4), "float32")
        self.actions = np.zeros(MEMORY, "int32")
        self.fell = np.zeros(MEMORY, "float32")
        self.count = 0

    def add(self, state, action: int, next_state, fell: bool) -> None:
        i = self.count % MEMORY
        self.states[i], self.next_states[i] = state, next_state
        self.actions[i], self.fell[i] = action, fell
        self.count += 1

    def sample(self) -> tuple[np.ndarray, ...]:
        i = self.random.integers(0, min(self.count, MEMORY), BATCH)
        return self.states[i], self.actions[i], self.next_states[i], self.fell[i]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="learn for 4,000 steps only")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("."), help="where the picture goes")
    options = parser.parse_args()
    steps, goal = (4_000, 60) if options.quick else (30_000, 195)

    pydl.set_random_seed(options.seed)
    network = build_network()
    network.summary()
    start = time.perf_counter()
    returns = learn(gymnasium.make("CartPole-v1"), network, steps, options.seed)
    print(f"learnt from {len(returns)} episodes in {time.perf_counter() - start:.1f} s")

    tests = [play(network, seed=1_000 + i) for i in range(20)]
    result = np.mean(tests)
    print(f"mean return of {len(tests)} new episodes: {result:.1f} (expected: at least {goal})")
    draw(returns, network, options.folder / "dqn_cartpole.png")
    if result < goal:
        sys.exit(f"expected a mean return of at least {goal}, got {result:.1f}")


def build_network() -> pydl.Sequential:
    """From position, speed, angle and angular speed to the values of pushing left and right."""
    return pydl.Sequential(
        [
            pydl.Input((4,)),
            layers.Dense(64, "relu"),
            layers.Dense(64, "relu"),
            layers.Dense(2),
        ]
    )


def learn(environment, network: pydl.Sequential, steps: int, seed: int) -> list[float]:
    """Plays and learns until the network plays well; returns the return of every episode.

    The network has the weights then with which it played best in a check.
    """
    random = np.random.default_rng(seed)
    memory = ReplayMemory(random)
    optimizer = pydl.optimizers.Adam(1e-3, global_clipnorm=10.0)
    target = pydl.models.clone_model(network)
    target.set_weights(network.get_weights())
    returns: list[float] = []
    most, best_weights = -1.0, network.get_weights()
    state, _ = environment.reset(seed=seed)
    total = 0.0
    for step in range(1, steps + 1):
        exploration = max(LEAST_RANDOM, 1 - step / EXPLORATION)
        action = random.integers(2) if random.random() < exploration else best(network, state)
        next_state, reward, fell, out_of_time, _ = environment.step(action)
        memory.add(state, action, next_state, fell)
        state, total = next_state, total + reward
        if fell or out_of_time:
            returns.append(total)
            state, _ = environment.reset()
            total = 0.0
        if step > FIRST_LESSON:
            improve(network, target, optimizer, *memory.sample())
        if step % CHECK == 0:
            checks = [play(network, seed=100 + i) for i in range(5)]
            print(f"step {step}, episode {len(returns)}: plays to {np.mean(checks):.0f}")
            if np.mean(checks) > most:
                most, best_weights = np.mean(checks), network.get_weights()
            if most >= SOLVED:
                break
    network.set_weights(best_weights)
    return returns


def best(network: pydl.Sequential, state: np.ndarray) -> int:
    """Returns the action with the highest value."""
    with pydl.no_grad():
        return int(ops.argmax(network(state[None]), axis=1)[0])


def improve(network, target, optimizer, states, actions, next_states, fell) -> None:
    """Brings values nearer to -1 for a fall, else the discounted value of the next state."""
    with pydl.no_grad():
        future = ops.max(target(next_states), axis=1)
        wanted = (1.0 - fell) * DISCOUNT * future - fell
    values = ops.take_along_axis(network(states, training=True), actions[:, None], axis=1)
    loss = ops.mean(pydl.losses.huber(wanted[:, None], values))
    variables = network.trainable_variables
    optimizer.apply(pydl.grad(loss, variables), variables)
    for followed, follower in zip(variables, target.trainable_variables):
        follower.assign(follower + FOLLOWING * (followed - follower))


def play(network: pydl.Sequential, seed: int) -> float:
    """Returns the return of an episode without random actions."""
    environment = gymnasium.make("CartPole-v1")
    state, _ = environment.reset(seed=seed)
    total, ended = 0.0, False
    while not ended:
        state, reward, fell, out_of_time, _ = environment.step(best(network, state))
        total, ended = total + reward, fell or out_of_time
    return total


def draw(returns: list[float], network: pydl.Sequential, path: Path) -> None:
    """Draws returns by episode, and by how much pushing right is better for a cart at rest."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4), layout="constrained")
    means = [np.mean(returns[max(0, i - 9) : i + 1]) for i in range(len(returns))]
    left.plot(returns, color="0.8", label="return")
    left.plot(means, color="tab:blue", label="mean of the last 10")
    left.set(xlabel="episode", ylabel="return")
    left.legend()

    angles, speeds = np.meshgrid(np.linspace(-0.2, 0.2, 81), np.linspace(-2, 2, 81))
    states = np.zeros((angles.size, 4), "float32")
    states[:, 2], states[:, 3] = angles.ravel(), speeds.ravel()
    values = network.predict(states, batch_size=len(states), verbose=0)
    better = (values[:, 1] - values[:, 0]).reshape(angles.shape)
    most = np.abs(better).max()
    image = right.pcolormesh(
        np.degrees(angles), speeds, better, cmap="RdBu", vmin=-most, vmax=most, shading="auto"
    )
    right.contour(np.degrees(angles), speeds, better, [0.0], colors="black")
    right.set(xlabel="angle of the pole (degrees)", ylabel="angular speed (rad/s)")
    right.set_title("red: pushes left, blue: pushes right", fontsize=10)
    figure.colorbar(image, label="value of right minus value of left")
    figure.savefig(path, dpi=120)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
