"""No portraits and no models needed."""
import unittest

import numpy as np
import torch

import residents
from residents import HEIGHT, POINTS, WIDTH


def ramp():
    x, y = residents.pixels(WIDTH, HEIGHT)
    return torch.stack([x, y, x + y]).float() / 2


class Shapes(unittest.TestCase):
    def test_points_go_where_they_should(self):
        moved = POINTS + [[3, -2], [-2, 1], [0, 4], [2, 2], [-3, 0]]
        result = residents.bent(ramp(), POINTS, moved)
        for (x, y), (tx, ty) in zip(POINTS, moved):
            near = result[:2, int(round(ty)), int(round(tx))] * 2
            self.assertLess(abs(float(near[0]) - x), 1.5)
            self.assertLess(abs(float(near[1]) - y), 1.5)

    def test_a_turn_does_not_fold(self):
        x, y = residents.pixels(WIDTH, HEIGHT)
        for yaw in (-0.3, 0.3):
            for pitch in (-0.2, 0.2):
                across, down = residents.turned(x, y, POINTS, yaw, pitch)
                self.assertGreater(float((across[:, 1:] - across[:, :-1]).min()), 0)
                self.assertGreater(float((down[1:] - down[:-1]).min()), 0)

    def test_an_own_shape_is_the_same_for_the_same_seed_only(self):
        first, again, other = (residents.own_shape(ramp(), np.random.default_rng(seed)) for seed in (1, 1, 2))
        self.assertTrue(torch.equal(first, again))
        self.assertGreater(float((first - other).abs().mean()), 0.1)


class Blending(unittest.TestCase):
    def test_everybody_together_is_one_and_outside_the_face_it_is_the_first(self):
        for share in (0.35, 0.9):
            weights = residents.weights_of(residents.SOURCES, share)
            self.assertLess(float((weights.sum(0) - 1).abs().max()), 1e-5)
            self.assertEqual(weights[0, 0, 0], 1)
            middle = weights[:, int(POINTS[2, 1]), int(POINTS[2, 0])]
            self.assertGreater(int((middle > 0.01).sum()), 1)

    def test_no_source_outweighs_the_others_in_the_face(self):
        oval = residents.face_oval() > 0.9
        shares = residents.weights_of(residents.SOURCES, 0.9)[:, oval].mean(1)
        self.assertLess(float(shares.max()), 0.5)

    def test_pictures_that_are_the_same_stay_what_they_are(self):
        picture = ramp()
        result = residents.blended(torch.stack([picture] * residents.SOURCES))
        self.assertLess(float((result - picture).abs().max()), 0.01)

    def test_colours_are_those_of_the_other(self):
        dark, bright = ramp() * 0.5, ramp() * 0.6 + 40
        oval = residents.face_oval() > 0.5
        result = residents.in_colours_of(dark, bright)
        self.assertLess(float((result[:, oval].mean(1) - bright[:, oval].mean(1)).abs().max()), 3)


class Matte(unittest.TestCase):
    def test_what_is_unlike_the_wall_stays_and_a_spot_like_it_within_does_too(self):
        x, y = residents.pixels(WIDTH, HEIGHT)
        wall = torch.stack([60 + y / 8, 100 + y / 8, 140 + y / 8]).float()
        person = (((x - 96) / 50) ** 2 + ((y - 120) / 90) ** 2 < 1) | ((y > 185) & (x > 10) & (x < 182))
        eye = ((x - 96) ** 2 + (y - 100) ** 2) < 25
        picture = torch.where(person & ~eye, torch.tensor([190.0, 140, 110]).view(3, 1, 1).expand_as(wall), wall)
        alpha = residents.matte(picture)[0]
        self.assertGreater(float(alpha[120, 96]), 0.95)
        self.assertGreater(float(alpha[100, 96]), 0.95)
        self.assertLess(float(alpha[10, 10]), 0.05)
        self.assertLess(float(alpha[150, 20]), 0.05)


if __name__ == "__main__":
    unittest.main()
