"""python3 -m unittest discover -s scripts/train -p '*_test.py'   (needs PyTorch, NumPy, Pillow and ONNX Runtime)"""
import copy
import unittest
from pathlib import Path

import numpy as np
import torch

import detector as d
from scenes import CROP_SIDE, Portrait, Scenes, hidden_share

SHARED = Path(__file__).resolve().parents[3] / "shared"


def empty_maps(height=96, width=160):
    return [torch.zeros(1, 15, height // s, width // s) for s in d.STRIDES]


def one_face():
    box = np.array([40.0, 20.0, 36.0, 48.0])
    points = np.array([[50.0, 40.0], [66.0, 38.0], [58.0, 48.0], [52.0, 58.0], [65.0, 57.0]])
    return box, points


class Maps(unittest.TestCase):
    def test_a_face_written_at_any_stride_is_decoded_where_it_was(self):
        box, points = one_face()
        for level, stride in enumerate(d.STRIDES):
            maps = empty_maps()
            d.write_face(maps[level][0], stride, box, points)
            faces = d.decode(maps, 0.5)
            self.assertEqual(len(faces), 1)
            np.testing.assert_allclose(faces[0][0], box, atol=1e-3)
            np.testing.assert_allclose(faces[0][1], points, atol=1e-3)

    def test_a_mirrored_face_keeps_its_right_eye_at_the_left(self):
        box, points = one_face()
        maps = empty_maps()
        d.write_face(maps[0][0], 8, box, points)
        _, turned = d.mirrored(torch.zeros(1, 3, 96, 160), maps)
        (face,) = d.decode(turned, 0.5)
        self.assertAlmostEqual(face[0][0], 160 - box[0] - box[2], places=3)
        expected = np.stack([160 - points[:, 0], points[:, 1]], 1)[[1, 0, 2, 4, 3]]
        np.testing.assert_allclose(face[1], expected, atol=1e-3)

    def test_a_face_the_teacher_missed_becomes_a_target_and_a_known_one_is_left_alone(self):
        box, points = one_face()
        missed, known = empty_maps(), empty_maps()
        d.write_face(known[1][0], 16, box, points)
        before = [m.clone() for m in known]
        d.add_missed(missed, [[(box, points)]])
        d.add_missed(known, [[(box + [1, 1, 0, 0], points)]])
        self.assertEqual(len(d.decode(missed, 0.5)), 1)
        self.assertTrue(all(torch.equal(a, b) for a, b in zip(before, known)))

    def test_losses_are_least_where_the_maps_are_the_targets(self):
        box, points = one_face()
        targets = empty_maps()
        d.write_face(targets[0][0], 8, box, points)
        right = [t.clone() for t in targets]
        for m in right:
            m[:, 0] = torch.logit(m[:, 0], eps=1e-4)
        wrong = [m + 0.3 for m in right]
        for good, bad in zip(d.losses(right, targets), d.losses(wrong, targets)):
            self.assertLess(float(good), 1e-3)
            self.assertGreater(float(bad), 10 * float(good))


class Network(unittest.TestCase):
    def test_folding_leaves_the_outputs_as_they_are(self):
        torch.manual_seed(1)
        student = d.Student()
        x = torch.rand(2, 3, 64, 96) * 255
        student(x)  # moves the running means away from their beginning
        student.eval()
        with torch.no_grad():
            plain, folded = student(x), d.fold(copy.deepcopy(student))(x)
        for a, b in zip(plain, folded):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)

    def test_there_is_one_map_of_fifteen_values_a_cell_for_each_stride(self):
        student = d.Student().eval()
        with torch.no_grad():
            shapes = [tuple(t.shape) for t in student(torch.zeros(1, 3, 64, 96))]
        self.assertEqual(shapes, [(1, 15, 64 // s, 96 // s) for s in d.STRIDES])


class Composing(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(2)
        box, points = one_face()
        portrait = Portrait(torch.rand(3, 160, 140) * 255, box, points)
        crop = Portrait(torch.rand(3, CROP_SIDE, CROP_SIDE) * 255, box, points)
        self.source = Scenes([portrait, crop], [torch.rand(3, 512, 1024) * 255], seed=5)

    def test_the_same_seed_gives_the_same_scenes(self):
        other = Scenes(self.source.portraits, self.source.panoramas, seed=5)
        for a, b in zip(self.source.batch(6, 96, 128)[:2], other.batch(6, 96, 128)[:2]):
            self.assertTrue(torch.equal(a, b))

    def test_every_pasted_face_lies_about_its_landmarks_and_every_pixel_in_range(self):
        composed, seen, faces = self.source.batch(60, 96, 128)
        for pixels in (composed, seen):
            self.assertGreaterEqual(float(pixels.min()), 0)
            self.assertLessEqual(float(pixels.max()), 255)
        pasted = [face for scene in faces for face in scene]
        self.assertGreater(len(pasted), 30)
        for box, points in pasted:
            middle = (points.mean(0) - box[:2]) / box[2:]
            self.assertTrue((middle > 0.2).all() and (middle < 0.9).all())
            self.assertLess(points[0, 0] - points[1, 0], box[2] * 0.1)  # eyes keep their order up to 40 degrees

    def test_a_face_under_another_is_no_longer_a_label(self):
        mask = torch.ones(20, 20)
        self.assertGreater(hidden_share(np.array([10.0, 10.0, 20.0, 20.0]), mask, 15, 15), 0.5)
        self.assertEqual(hidden_share(np.array([40.0, 40.0, 20.0, 20.0]), mask, 15, 15), 0)


@unittest.skipUnless((SHARED / "models" / "yunet_n_dynamic.onnx").exists(), "no teacher in ../shared/models")
class TheTeacher(unittest.TestCase):
    def test_yunet_finds_the_one_face_of_the_astronaut_and_the_cat_has_none(self):
        teacher = d.Teacher(str(SHARED / "models" / "yunet_n_dynamic.onnx"))
        count = lambda name: len(d.decode(teacher(d.tensor_of(str(SHARED / "faces" / name))[0]), 0.6))
        self.assertEqual((count("single/astronaut.png"), count("nonface/chelsea.png")), (1, 0))


if __name__ == "__main__":
    unittest.main()
