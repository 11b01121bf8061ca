"""An environment of your own: docs/gymnasium.md shows how an agent learns it in a minute."""

import gymnasium
import numpy as np


class Reach(gymnasium.Env):
    """A point in a plane has to reach a goal. The agent observes the point's position and velocity, and the goal."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (6,), np.float32)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.position, self.goal = self.np_random.uniform(-1.0, 1.0, (2, 2))
        self.velocity = np.zeros(2)
        return self.observation(), {}

    def step(self, action):
        self.velocity = 0.8 * self.velocity + 0.05 * action
        self.position = self.position + self.velocity
        reward = -float(np.linalg.norm(self.position - self.goal))
        return self.observation(), reward, False, False, {}

    def observation(self):
        return np.concatenate([self.position, self.velocity, self.goal]).astype(np.float32)
