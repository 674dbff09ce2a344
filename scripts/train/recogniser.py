#!/usr/bin/env python3
"""Trains doorkeep's built-in recogniser: a small ReLU network that imitates a permitted teacher.

No identity labels are used. Every training picture is made from aligned faces (mixed, turned, warped, re-lit);
the teacher looks at it, and the student, who sees the same picture degraded, learns the teacher's embedding, its
inner maps, and how alike the teacher finds the faces of a batch. README.md has the commands.

  recogniser.py train  --teacher T.onnx --faces DIR... --out DIR [--resume FILE] [--lfw DIR]
  recogniser.py export --checkpoint FILE --onnx FILE
  recogniser.py measure --checkpoint FILE --teacher T.onnx --lfw DIR [--scores CSV]
  recogniser.py probe  --checkpoint FILE --out DIR      inputs and embeddings, for the comparison with ONNX Runtime
"""
import argparse
import csv
import inspect
import json
import math
import mmap
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from onnx_graph import OnnxGraph

# ---------------------------------------------------------------------------------------------- alignment

TEACHER_SIZE = 128
STUDENT_SIZE = 96
CANVAS_SIZE = 112
# Open Model Zoo, face-reidentification-retail-0095: published points times the input's side.
TEACHER_POINTS = TEACHER_SIZE * np.array([
    (0.31556875, 0.46157410), (0.68262292, 0.46157410), (0.50026250, 0.64050536), (0.34947188, 0.82469196), (0.65343646, 0.82469196)])
# Five points of the training crops (../shared/train-faces/README.md).
CANVAS_POINTS = np.array([(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)])


def chip_to_picture(landmarks, points):
    """2x3 matrix from chip to picture pixels (integer coordinates are pixel centres): the inverse of the
    similarity that takes the landmarks onto `points` with the least squared error, as agent/vision/alignment.ts."""
    middle, target = landmarks.mean(0), points.mean(0)
    p, q = landmarks - middle, points - target
    spread = (p * p).sum()
    a, b = (p * q).sum() / spread, (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum() / spread
    turn = np.linalg.inv(np.array([[a, -b], [b, a]]))
    return np.concatenate([turn, (middle - turn @ target)[:, None]], 1)


def cut_chip(picture, landmarks, size):
    """The face as a size x size x 3 array; bilinear, black outside the picture."""
    m = chip_to_picture(landmarks, TEACHER_POINTS * (size / TEACHER_SIZE))
    # PIL counts from the corner of a pixel, we from its centre.
    m[:, 2] += 0.5 - m[:, :2].sum(1) * 0.5
    return np.asarray(picture.transform((size, size), Image.Transform.AFFINE, m.ravel(), Image.Resampling.BILINEAR))


# ---------------------------------------------------------------------------------------------- networks

def conv_unit(inputs, outputs, kernel=3, stride=1, relu=True):
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if relu else nn.Sequential(*layers)


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.body = nn.Sequential(conv_unit(channels, channels), conv_unit(channels, channels, relu=False))

    def forward(self, x):
        return F.relu(x + self.body(x))


class GlobalWeights(nn.Module):
    """A depthwise convolution as large as its map. Written out while training: CPUs have no fast bf16 backward for it."""

    def __init__(self, channels, size):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, 1, size, size) / size)

    def forward(self, x):
        if not self.training:
            return F.conv2d(x, self.weight, groups=self.weight.shape[0])
        return (x * self.weight[:, 0].to(x.dtype)).sum((2, 3), keepdim=True)


class Student(nn.Module):
    """RGB [n, 3, 96, 96], (v - 127.5) / 127.5 -> embedding [n, 256], not normalised. Dense 3x3 residual blocks at a
    quarter, an eighth and a sixteenth of the side; no activation but ReLU (PRelu costs ONNX Runtime 60 % of the time)."""

    CHANNELS = (64, 128, 128, 512)
    SIDES = (STUDENT_SIZE // 4, STUDENT_SIZE // 8, STUDENT_SIZE // 16, STUDENT_SIZE // 16)

    def __init__(self):
        super().__init__()
        c1, c2, c3, last = self.CHANNELS
        self.stem = nn.Sequential(conv_unit(3, 32, stride=2), conv_unit(32, c1, stride=2))
        self.stages = nn.ModuleList([
            Residual(c1),
            nn.Sequential(conv_unit(c1, c2, stride=2), Residual(c2)),
            nn.Sequential(conv_unit(c2, c3, stride=2), Residual(c3)),
            conv_unit(c3, last, 1)])
        self.pool = nn.Sequential(GlobalWeights(last, self.SIDES[3]), nn.BatchNorm2d(last))
        self.embed = nn.Sequential(nn.Conv2d(last, 256, 1, bias=False), nn.BatchNorm2d(256))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def maps(self, x):
        x, found = self.stem(x), []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found

    def forward(self, x):
        return self.embed(self.pool(self.maps(x)[-1])).flatten(1)


class Teacher(nn.Module):
    """face-reidentification-retail-0095. Its maps are resampled to the student's sides and brought to mean 0 and
    variance 1 per channel, with figures taken once from unmixed faces by `standardise`."""

    TAPS = ("n238", "n538", "n666", "n675")
    CHANNELS = (64, 128, 128, 512)

    def __init__(self, path, dtype):
        super().__init__()
        self.graph, self.dtype = OnnxGraph(path), dtype
        self.graph.to(dtype=dtype, memory_format=torch.channels_last)
        self.head = OnnxGraph(path)  # float32: the student's gradient goes through it
        for i, channels in enumerate(self.CHANNELS):
            self.register_buffer(f"mean{i}", torch.zeros(1, channels, 1, 1))
            self.register_buffer(f"deviation{i}", torch.ones(1, channels, 1, 1))

    def look(self, x):
        """RGB [n, 3, 128, 128] in 0..1 -> embedding (float32), the four maps."""
        x = (x.flip(1) * 255).to(dtype=self.dtype, memory_format=torch.channels_last)
        embedding, *maps = self.graph.run({self.graph.input: x}, [self.graph.outputs[0], *self.TAPS])
        return embedding.float(), [
            (F.interpolate(m.float(), (side, side), mode="bilinear", align_corners=False) - getattr(self, f"mean{i}")) / getattr(self, f"deviation{i}")
            for i, (m, side) in enumerate(zip(maps, Student.SIDES))]

    def standardise(self, x):
        _, maps = self.look(x)
        for i, m in enumerate(maps):
            getattr(self, f"mean{i}").copy_(m.mean((0, 2, 3), keepdim=True))
            getattr(self, f"deviation{i}").copy_(m.std((0, 2, 3)).view(1, -1, 1, 1) + 1e-2)

    def embed_map(self, last):
        """The teacher's own last layers on an imitation of its last map."""
        last = F.interpolate(last * self.deviation3 + self.mean3, (8, 8), mode="bilinear", align_corners=False)
        return self.head.run({self.TAPS[-1]: last}, self.head.outputs[:1])[0]


# ---------------------------------------------------------------------------------------------- pictures

class Chance:
    """Seeded random tensors on one device."""

    def __init__(self, seed, device):
        self.device, self.generator = device, torch.Generator(device).manual_seed(seed)

    def uniform(self, low, high, *shape):
        return torch.rand(*shape, device=self.device, generator=self.generator) * (high - low) + low

    def normal(self, deviation, *shape):
        return torch.randn(*shape, device=self.device, generator=self.generator) * deviation

    def often(self, share, count):
        return (self.uniform(0, 1, count, 1, 1, 1) < share).float()

    def below(self, limit, count):
        return torch.randint(limit, (count,), device=self.device, generator=self.generator)


class Composer:
    """New faces from old ones: uint8 canvases [n, 3, 112, 112] -> chips [count, 3, 128, 128] in 0..1."""

    # Regions of the canvas that may be taken from another face: centre x, centre y, half width, half height.
    REGIONS = ((56, 50, 36, 13), (56, 69, 15, 17), (56, 94, 28, 17), (28, 56, 28, 64), (84, 56, 28, 64), (56, 24, 64, 30), (56, 66, 38, 42), (56, 92, 64, 24))

    def __init__(self, faces, chance):
        self.faces, self.chance, device = faces, chance, chance.device
        line = torch.arange(CANVAS_SIZE, dtype=torch.float32, device=device)
        self.y, self.x = line.view(1, 1, -1, 1), line.view(1, 1, 1, -1)
        self.regions = torch.tensor(self.REGIONS, dtype=torch.float32, device=device)
        across = (torch.arange(TEACHER_SIZE, dtype=torch.float32, device=device) + 0.5) / TEACHER_SIZE * 2 - 1
        self.gy, self.gx = torch.meshgrid(across, across, indexing="ij")
        # From the chip's to the canvas' coordinates, both -1..1 from edge to edge.
        m = chip_to_picture(CANVAS_POINTS, TEACHER_POINTS)
        half = np.array([TEACHER_SIZE / 2] * 2)
        offset = (m[:, :2] @ (half - 0.5) + m[:, 2] + 0.5) / (CANVAS_SIZE / 2) - 1
        self.frame = torch.tensor(np.concatenate([m[:, :2] * TEACHER_SIZE / CANVAS_SIZE, offset[:, None]], 1), dtype=torch.float32, device=device)

    def __call__(self, count):
        a, b, c = (self.faces[self.chance.below(len(self.faces), count)].float() / 255 for _ in range(3))
        return self.light(self.shape(self.mix(self.mix(a, b), c)))

    def plain(self, count):
        """Unmixed faces as they are, for the teacher's statistics."""
        x = self.faces[self.chance.below(len(self.faces), count)].float() / 255
        return self.sample(x, self.gx.expand(count, -1, -1), self.gy.expand(count, -1, -1))

    def mix(self, a, b):
        """A region of another face, in this face's colours, a cross-fade of the two, or a caricature: what sets this
        face apart from the other, overdone. Only the last leaves the hull of the faces there are."""
        c, n = self.chance, len(a)
        inner = (slice(None), slice(None), slice(26, 104), slice(24, 88))
        mean_a, mean_b = (t[inner].mean((2, 3), keepdim=True) for t in (a, b))
        scale = (a[inner].std((2, 3)) + 0.02) / (b[inner].std((2, 3)) + 0.02)
        b = ((b - mean_b) * scale[:, :, None, None] + mean_a).clamp(0, 1)
        r = (self.regions[c.below(len(self.regions), n)] * c.uniform(0.9, 1.1, n, 4)).view(n, 4, 1, 1, 1)
        soft = c.uniform(0.2, 0.8, n, 1, 1, 1)
        mask = torch.sigmoid((r[:, 2] - (self.x - r[:, 0]).abs()) * soft) * torch.sigmoid((r[:, 3] - (self.y - r[:, 1]).abs()) * soft)
        kind = c.uniform(0, 1, n, 1, 1, 1)
        region, fade, caricature = ((kind >= low).float() * (kind < high).float() for low, high in ((0, 0.3), (0.3, 0.45), (0.45, 0.65)))
        weight = mask * region + c.uniform(0.25, 0.75, n, 1, 1, 1) * fade - c.uniform(0.1, 0.6, n, 1, 1, 1) * caricature
        return (a + (b - a) * weight).clamp(0, 1)

    def shape(self, x):
        """Mirror image, landmark jitter, head turn, and a smooth warp that makes another person of the face."""
        c, n = self.chance, len(x)
        gx, gy = self.gx.expand(n, -1, -1), self.gy.expand(n, -1, -1)
        turned = (c.uniform(0, 1, n, 1, 1) < 0.6).float()
        yaw, pitch = (c.normal(0.32, n, 1, 1) * turned).clamp(-0.7, 0.7), (c.normal(0.16, n, 1, 1) * turned).clamp(-0.35, 0.35)
        nose = 0.2 * torch.exp(-((gx - 0.2 * torch.sin(yaw)) / 0.2) ** 2 - ((gy - 0.22) / 0.28) ** 2)
        gx, gy = self.turn(gx, 1.2, yaw) - nose * torch.sin(yaw), self.turn(gy, 1.6, pitch) - nose * torch.sin(pitch)
        angle, scale, aspect = c.normal(0.05, n, 1, 1), torch.exp(c.normal(0.045, n, 1, 1) - 0.04), torch.exp(c.normal(0.06, n, 1, 1))
        cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
        gx, gy = cos * gx - sin * gy + c.normal(0.025, n, 1, 1), (sin * gx + cos * gy) * aspect + c.normal(0.025, n, 1, 1)
        size = c.uniform(0, 0.055, n, 1, 1, 1) * c.often(0.8, n)
        d = F.interpolate(c.normal(1, n, 2, 5, 5), (TEACHER_SIZE, TEACHER_SIZE), mode="bicubic", align_corners=True) * size
        mirror = c.often(0.65, n)[:, 0]
        dx, dy = d[:, 0], d[:, 1]
        # Symmetric warps look like other heads; the rest stands for bad landmarks and lenses.
        gx = gx + dx + mirror * ((dx - dx.flip(2)) / 2 - dx)
        gy = gy + dy + mirror * ((dy + dy.flip(2)) / 2 - dy)
        return self.sample(x, gx * (1 - 2 * c.often(0.5, n)[:, 0]), gy)

    @staticmethod
    def turn(v, radius, angle):
        """A cylinder of that radius turned by the angle, and moved so that most of the face stays in place."""
        return radius * torch.sin(torch.asin((v / radius + 0.85 * torch.sin(angle)).clamp(-0.97, 0.97)) - angle)

    def sample(self, x, gx, gy):
        f = self.frame
        grid = torch.stack([f[0, 0] * gx + f[0, 1] * gy + f[0, 2], f[1, 0] * gx + f[1, 1] * gy + f[1, 2]], -1)
        return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)

    def light(self, x):
        """Exposure, contrast, white balance, several lamps, side light, and grey or infra-red-like pictures."""
        c, n = self.chance, len(x)
        x = x.clamp(1e-3, 1) ** torch.exp(c.normal(0.35, n, 1, 1, 1))
        x = (x - 0.5) * torch.exp(c.normal(0.2, n, 1, 1, 1)) + 0.5 + c.normal(0.08, n, 1, 1, 1)
        x = x * (1 + c.normal(0.08, n, 3, 1, 1))
        lamps = F.interpolate(c.normal(1, n, 1, 4, 4), (TEACHER_SIZE, TEACHER_SIZE), mode="bicubic", align_corners=True)
        x = x * torch.exp(lamps * c.uniform(0, 0.35, n, 1, 1, 1) * c.often(0.5, n))
        side = c.uniform(0, 2 * math.pi, n, 1, 1)
        ramp = self.gx * torch.cos(side) + self.gy * torch.sin(side)
        x = x * (1 + ramp[:, None] * c.uniform(-0.6, 0.6, n, 1, 1, 1) * c.often(0.4, n))
        grey = (x * torch.softmax(c.normal(1.2, n, 3, 1, 1), 1)).sum(1, keepdim=True)
        share = (c.often(0.2, n) + c.often(0.3, n) * c.uniform(0, 1, n, 1, 1, 1)).clamp(max=1)
        return (x + (grey - x) * share).clamp(0, 1)


class Camera:
    """What a door camera does to a picture: chips [n, 3, 96, 96] in 0..1 -> the same, degraded. The teacher has
    seen the picture without it, so the student learns to look through it."""

    # Luminance quantisation of ITU-T T.81, annex K.
    TABLE = ((16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55), (14, 13, 16, 24, 40, 57, 69, 56), (14, 17, 22, 29, 51, 87, 80, 62),
             (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92), (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99))

    def __init__(self, chance):
        self.chance, device = chance, chance.device
        k = torch.arange(8.0, device=device)
        self.cosines = torch.cos((2 * k[None] + 1) * k[:, None] * math.pi / 16) / 2
        self.cosines[0] /= math.sqrt(2)
        self.table = torch.tensor(self.TABLE, dtype=torch.float32, device=device) / 255
        line = torch.arange(STUDENT_SIZE, dtype=torch.float32, device=device)
        self.y, self.x = line.view(1, -1, 1), line.view(1, 1, -1)

    def __call__(self, x):
        """The batch is in random order, so that fixed shares of it can be taken from its ends."""
        c, n = self.chance, len(x)
        small, blurred, pressed, covered = n // 6, n // 4, n // 3, n // 7
        if small:
            side = int(c.uniform(20, 72, 1))
            low = F.interpolate(x[:small], (side, side), mode="area")
            x = torch.cat([F.interpolate(low, x.shape[2:], mode="bilinear", align_corners=False), x[small:]])
        if blurred:
            part = slice(small, small + blurred)
            x = torch.cat([x[: part.start], self.blur(x[part]), x[part.stop :]])
        if pressed:
            x = torch.cat([x[:-pressed], self.press(x[-pressed:])])
        if covered:
            middle = (n - covered) // 2
            part = slice(middle, middle + covered)
            x = torch.cat([x[: part.start], self.cover(x[part]), x[part.stop :]])
        x = x + c.normal(1, *x.shape) * (c.uniform(0, 0.05, n, 1, 1, 1) * c.often(0.35, n))
        return x.clamp(0, 1)

    def blur(self, x):
        """Gaussian, with a width and a height of its own for each picture: defocus and motion."""
        n, _, side, _ = x.shape
        reach = torch.arange(-4.0, 5.0, device=x.device)[None]
        def weights():
            w = torch.exp(-0.5 * (reach / self.chance.uniform(0.3, 1.8, n, 1)) ** 2)
            return (w / w.sum(1, keepdim=True)).repeat_interleave(3, 0)
        x = F.pad(x, (4, 4, 4, 4), mode="replicate").reshape(1, n * 3, side + 8, side + 8)
        x = F.conv2d(x, weights().view(-1, 1, 1, 9), groups=n * 3)
        return F.conv2d(x, weights().view(-1, 1, 9, 1), groups=n * 3).view(n, 3, side, side)

    def press(self, x):
        """Block transform and quantisation as in JPEG and H.264 key frames."""
        n, _, side, _ = x.shape
        blocks = x.view(n, 3, side // 8, 8, side // 8, 8).transpose(3, 4) - 0.5
        step = self.table * torch.exp(self.chance.uniform(-1.5, 1.0, n, 1, 1, 1, 1, 1))
        blocks = torch.round(self.cosines @ blocks @ self.cosines.T / step) * step
        return (self.cosines.T @ blocks @ self.cosines + 0.5).transpose(3, 4).reshape(x.shape)

    def cover(self, x):
        """A patch of one colour: hand, scarf, sun glasses, dirt on the lens."""
        c, n = self.chance, len(x)
        across, down, width, height = (c.uniform(low, high, n, 1, 1) for low, high in ((0, 96), (0, 96), (6, 24), (4, 20)))
        inside = (((self.x - across).abs() < width) & ((self.y - down).abs() < height)).float()[:, None]
        return x + (c.uniform(0, 1, n, 3, 1, 1) - x) * inside


# ---------------------------------------------------------------------------------------------- lessons

class Lessons:
    """What the teacher said about composed pictures: chips [n, 3, 96, 96] uint8, embeddings, standardised maps."""

    def __init__(self, teacher, faces, seed, device):
        self.teacher, self.composer = teacher, Composer(faces, Chance(seed, device))

    @torch.no_grad()
    def make(self, count, at_once=8):
        x = self.composer(count)
        # Few at once: the teacher's maps then stay in the processor's cache. A GPU wants them all.
        parts = [self.teacher.look(part) for part in x.split(count if x.is_cuda else at_once)]
        embedding = torch.cat([e for e, _ in parts])
        maps = [torch.cat(m) for m in zip(*(m for _, m in parts))]
        chips = F.interpolate(x, (STUDENT_SIZE, STUDENT_SIZE), mode="bilinear", antialias=True, align_corners=False)
        return (chips * 255).round().to(torch.uint8), embedding, maps


class Ring:
    """Lessons made by a process beside this one, in shared memory: the newest `size`, drawn at random, so that the
    student need not wait for the teacher, and sees a picture again (degraded anew) while the teacher is slower."""

    BLOCK = 32

    def __init__(self, blocks):
        self.blocks, n = blocks, blocks * self.BLOCK
        self.counts = shared(torch.int64, 2)  # blocks made, pictures drawn
        self.chips = shared(torch.uint8, n, 3, STUDENT_SIZE, STUDENT_SIZE)
        self.embeddings = shared(torch.float32, n, 256)
        self.maps = [shared(torch.bfloat16, n, side, side, channels).permute(0, 3, 1, 2) for side, channels in zip(Student.SIDES, Teacher.CHANNELS)]

    def fill(self, lessons, parent):
        """Runs in the process beside, until its parent is gone. No more than half a ring ahead."""
        while os.getppid() == parent:
            made, drawn = self.counts.tolist()
            if made * self.BLOCK > drawn + self.blocks * self.BLOCK // 2:
                time.sleep(0.05)
                continue
            chips, embeddings, maps = lessons.make(self.BLOCK)
            start = made % self.blocks * self.BLOCK
            part = slice(start, start + self.BLOCK)
            self.chips[part], self.embeddings[part] = chips, embeddings
            for kept, new in zip(self.maps, maps):
                kept[part] = new
            self.counts[0] += 1

    def draw(self, count, chance, repeats):
        """Waits while each lesson has been drawn `repeats` times on average, or too few are there."""
        while True:
            made, drawn = self.counts.tolist()
            if made >= 8 and drawn < repeats * made * self.BLOCK:
                break
            time.sleep(0.02)
        full = min(made, self.blocks - 2)  # the two blocks that may be written now are left out
        chosen = (made - 1 - chance.below(full, count)) % self.blocks * self.BLOCK + chance.below(self.BLOCK, count)
        self.counts[1] += count
        maps = [m.permute(0, 2, 3, 1)[chosen].permute(0, 3, 1, 2) for m in self.maps]
        return self.chips[chosen], self.embeddings[chosen], maps


def shared(dtype, *shape):
    """A tensor of zeros that a forked process shares."""
    size = int(np.prod(shape)) * torch.empty(0, dtype=dtype).element_size()
    return torch.frombuffer(mmap.mmap(-1, size), dtype=dtype).view(*shape)


# ---------------------------------------------------------------------------------------------- training

def losses(embedding, through_teacher, maps, lesson_embedding, lesson_maps, hints=0.7):
    """3 x own embedding, 2 x embedding through the teacher's last layers, 4 x relations in the batch, `hints` x maps."""
    mine, imitated, told = (F.normalize(e.float()) for e in (embedding, through_teacher, lesson_embedding))
    own, head = (mine * told).sum(1).mean(), (imitated * told).sum(1).mean()
    n = len(mine)
    relations = ((mine @ mine.T - told @ told.T) ** 2).sum() / (n * (n - 1))
    distances = [F.mse_loss(m.float(), t.float()) for m, t in zip(maps, lesson_maps)]
    total = 3 * (1 - own) + 2 * (1 - head) + 4 * relations + hints * sum(distances)
    return total, own, head, distances


def train(options):
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if options.ring and device.type == "cuda":
        raise SystemExit("--ring is for CPUs: leave it out on CUDA")
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)

    faces = load_faces(options.faces).to(device)
    teacher = Teacher(options.teacher, torch.bfloat16 if options.bf16 else torch.float32).to(device).eval()
    student = Student().to(device, memory_format=torch.channels_last)
    adapters = nn.ModuleList(nn.Conv2d(s, t, 1) for s, t in zip(Student.CHANNELS, Teacher.CHANNELS)).to(device)
    average = Student().to(device, memory_format=torch.channels_last).eval().requires_grad_(False)
    both = nn.ModuleDict({"student": student, "adapters": adapters})
    weights = [p for p in both.parameters() if p.ndim > 1]
    others = [p for p in both.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW([{"params": weights, "weight_decay": 5e-4}, {"params": others, "weight_decay": 0}], lr=options.lr, betas=(0.9, 0.98))
    start = {"step": 0, "seen": 0, "minutes": 0.0}
    if options.resume:
        start = load_checkpoint(options.resume, both, average, optimiser)
    else:
        average.load_state_dict(student.state_dict())

    # A resumed run must not see the same pictures again.
    seed = options.seed * 1_000_003 + start["seen"]
    with torch.no_grad():
        teacher.standardise(Composer(faces, Chance(options.seed, device)).plain(256))
    lessons = Lessons(teacher, faces, seed, device)
    chance = Chance(seed + 1, device)
    camera = Camera(chance)
    ring = Ring(options.ring) if options.ring else None
    if ring:
        torch.set_num_threads(1)
        parent = os.getpid()
        if os.fork() == 0:
            ring.fill(lessons, parent)
            os._exit(0)
    exam = Exam(options.lfw, teacher, device) if options.lfw else None

    log = (out / "log.jsonl").open("a")
    def say(**what):
        line = json.dumps(what)
        print(line, flush=True)
        log.write(line + "\n")
        log.flush()

    say(start=start, faces=len(faces), parameters=sum(p.numel() for p in student.parameters()), device=str(device), options={k: v for k, v in vars(options).items() if k != "run"})
    step, seen, began, examined = 0, 0, time.time(), time.time()
    sums = torch.zeros(7)
    while True:
        elapsed = (time.time() - began) / 60
        share = step / options.steps if options.steps else elapsed / options.minutes
        if share >= 1:
            break
        rate = options.lr * min(1, (step + 1) / 60) * (0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2)
        for group in optimiser.param_groups:
            group["lr"] = rate
        chips, told, told_maps = ring.draw(options.batch, chance, options.repeats) if ring else lessons.make(options.batch)
        x = (camera(chips.float() / 255) * 2 - 1).contiguous(memory_format=torch.channels_last)
        student.train()
        with torch.autocast(device.type, torch.bfloat16, enabled=bool(options.bf16)):
            maps = student.maps(x)
            embedding = student.embed(student.pool(maps[-1])).flatten(1)
            imitations = [adapter(m) for adapter, m in zip(adapters, maps)]
        through_teacher = teacher.embed_map(imitations[-1].float())
        loss, own, head, distances = losses(embedding, through_teacher, imitations, told, told_maps, options.hints)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(both.parameters(), 5.0)
        if not torch.isfinite(norm):
            raise SystemExit(f"step {step}: the gradient is not finite")
        optimiser.step()
        step, seen = step + 1, seen + options.batch
        follow(average, student, min(0.998, (1 + start["step"] + step) / (10 + start["step"] + step)))
        sums += torch.tensor([own.item(), head.item(), *(d.item() for d in distances), 1.0])

        if step % 100 == 0:
            figures = (sums / sums[-1]).tolist()
            sums.zero_()
            fresh = int(ring.counts[0]) * Ring.BLOCK if ring else seen
            say(step=start["step"] + step, seen=start["seen"] + seen, fresh=fresh, minutes=round(start["minutes"] + elapsed, 2), lr=round(rate, 6),
                cos=round(figures[0], 4), cos_head=round(figures[1], 4), maps=[round(v, 3) for v in figures[2:6]], cpu_ms=round(time.process_time() / seen * 1e3, 1))
        if time.time() - examined > options.every * 60:
            examined = time.time()
            now = {"step": start["step"] + step, "seen": start["seen"] + seen, "minutes": start["minutes"] + elapsed}
            save_checkpoint(out / "last.pt", both, average, optimiser, now)
            if exam:
                say(**now, lfw=exam.mark(average))
    now = {"step": start["step"] + step, "seen": start["seen"] + seen, "minutes": start["minutes"] + (time.time() - began) / 60}
    save_checkpoint(out / "last.pt", both, average, optimiser, now)
    save_checkpoint(out / "recogniser.pt", both, average, None, now)
    say(**now, finished=True, lfw=exam.mark(average) if exam else None)


@torch.no_grad()
def follow(average, student, inertia):
    for kept, new in zip(average.state_dict().values(), student.state_dict().values()):
        if kept.is_floating_point():
            kept.lerp_(new, 1 - inertia)
        else:
            kept.copy_(new)


def save_checkpoint(path, both, average, optimiser, progress):
    """Without an optimiser the small form: the averaged weights and the adapters, enough to go on from."""
    content = {"progress": progress, "average": average.state_dict(), "adapters": both["adapters"].state_dict()}
    if optimiser:
        content |= {"student": both["student"].state_dict(), "optimiser": optimiser.state_dict()}
    part = Path(f"{path}.part")
    torch.save(content, part)
    part.replace(path)


def load_checkpoint(path, both, average, optimiser):
    content = torch.load(path, map_location="cpu")
    average.load_state_dict(content["average"])
    both["student"].load_state_dict(content.get("student", content["average"]))
    both["adapters"].load_state_dict(content["adapters"])
    if "optimiser" in content:
        optimiser.load_state_dict(content["optimiser"])
    return content["progress"]


def load_faces(folders):
    """Every JPEG of the folders, in the order of its name: uint8 [n, 3, 112, 112], RGB."""
    files = [file for folder in folders for file in sorted(Path(folder).glob("*.jpg"))]
    if not files:
        raise SystemExit(f"no JPEG files in {', '.join(folders)}")
    return torch.from_numpy(np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files]).transpose(0, 3, 1, 2).copy())


# ---------------------------------------------------------------------------------------------- measuring

class Exam:
    """Every fifth pair of LFW's list, for the learning curve only: nothing of it is trained on."""

    def __init__(self, folder, teacher, device, take=5):
        folder, self.device = Path(folder), device
        pairs = read_pairs(folder / "pairs.txt")[::take]
        names = sorted({name for a, b, _ in pairs for name in (a, b)})
        place = {name: i for i, name in enumerate(names)}
        landmarks = read_landmarks(folder / "yunet_n_landmarks.csv")
        pictures = [(Image.open(folder / "images" / name).convert("RGB"), landmarks[name]) for name in names]
        self.a, self.b = (torch.tensor([place[pair[side]] for pair in pairs]) for side in (0, 1))
        self.same = torch.tensor([pair[2] for pair in pairs])
        self.chips, whole = (torch.from_numpy(np.stack([cut_chip(p, l, size) for p, l in pictures]).transpose(0, 3, 1, 2).copy()) for size in (STUDENT_SIZE, TEACHER_SIZE))
        with torch.no_grad():
            self.told = torch.cat([F.normalize(teacher.look(part.to(device).float() / 255)[0]).cpu() for part in whole.split(8)])

    @torch.no_grad()
    def embed(self, net):
        return torch.cat([F.normalize(net(part.to(self.device).float() / 127.5 - 1).float()).cpu() for part in self.chips.split(64)])

    def mark(self, net):
        mine = self.embed(net)
        return {"student": self.verify(mine), "teacher": self.verify(self.told), "cos": round(float((mine * self.told).sum(1).mean()), 4)}

    def scores(self, embeddings):
        return (embeddings[self.a] * embeddings[self.b]).sum(1)

    def verify(self, embeddings):
        """Accuracy in percent, each fifth at the threshold of the other four; TAR in percent at FAR 1 %."""
        scores, same = self.scores(embeddings), self.same
        thresholds = torch.arange(-0.2, 1, 0.0025)
        right = (scores[None] >= thresholds[:, None]) == same[None]
        fold = torch.arange(len(scores)) * 5 // len(scores)
        hits = 0
        for k in range(5):
            best = right[:, fold != k].float().mean(1).argmax()
            hits += int(right[best, fold == k].sum())
        strangers = scores[~same].sort(descending=True).values
        limit = strangers[len(strangers) // 100]
        return {"accuracy": round(100 * hits / len(scores), 2), "tar1e2": round(100 * float((scores[same] > limit).float().mean()), 2)}


def read_pairs(file):
    """pairs.txt of LFW -> (file, file, same) for every pair."""
    pairs = []
    for line in file.read_text().splitlines()[1:]:
        words = line.split()
        if len(words) == 3:
            words, same = [words[0], words[1], words[0], words[2]], True
        else:
            same = False
        a, b = (f"{name}/{name}_{int(number):04d}.jpg" for name, number in (words[:2], words[2:]))
        pairs.append((a, b, same))
    return pairs


def read_landmarks(file):
    with file.open() as lines:
        rows = list(csv.reader(lines))[1:]
    return {row[0]: np.array(row[-10:], float).reshape(5, 2) for row in rows}


# ---------------------------------------------------------------------------------------------- results

class BothWays(nn.Module):
    """What is shipped: the student's embeddings of a chip and of its mirror image, added, so that a face and its mirror
    image are the same. Twice the work."""

    def __init__(self, student):
        super().__init__()
        self.student = student

    def forward(self, x):
        return self.student(torch.cat([x, x.flip(3)])).view(2, -1, 256).sum(0)


def trained(path):
    net = Student()
    net.load_state_dict(torch.load(path, map_location="cpu")["average"])
    return BothWays(net).eval().requires_grad_(False)


def export(options):
    # Later PyTorch would take another exporter, which wants more packages.
    tracing = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(trained(options.checkpoint), torch.zeros(1, 3, STUDENT_SIZE, STUDENT_SIZE), options.onnx, input_names=["input"], output_names=["embedding"],
                      opset_version=13, dynamic_axes={"input": {0: "batch"}, "embedding": {0: "batch"}}, **tracing)
    print(f"{options.onnx}: {Path(options.onnx).stat().st_size} bytes")


def measure(options):
    torch.set_num_threads(options.threads)
    exam = Exam(options.lfw, Teacher(options.teacher, torch.bfloat16 if options.bf16 else torch.float32), torch.device("cpu"), take=1)
    net = trained(options.checkpoint)
    print(json.dumps(exam.mark(net)))
    if options.scores:
        told, mine = exam.scores(exam.told).tolist(), exam.scores(exam.embed(net)).tolist()
        rows = [f"{m:.5f},{t:.5f},{int(same)}" for m, t, same in zip(mine, told, exam.same.tolist())]
        Path(options.scores).write_text("\n".join(["student,teacher,same", *rows, ""]))


def probe(options):
    """Eight noise pictures as little-endian float32, and the normalised embeddings that PyTorch gives for them."""
    chance, out = Chance(7, torch.device("cpu")), Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    x = F.interpolate(chance.normal(0.7, 8, 3, 12, 12), (STUDENT_SIZE, STUDENT_SIZE), mode="bicubic", align_corners=False).clamp(-1, 1)
    embeddings = F.normalize(trained(options.checkpoint)(x))
    for name, values in (("inputs", x), ("embeddings", embeddings)):
        (out / f"{name}.f32").write_bytes(values.numpy().astype("<f4").tobytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("train")
    command.set_defaults(run=train)
    add = command.add_argument
    add("--teacher", required=True, help="face-reidentification-retail-0095.onnx")
    add("--faces", required=True, nargs="+", help="folders of 112 x 112 aligned crops")
    add("--out", required=True, help="folder for log.jsonl, last.pt and recogniser.pt")
    add("--resume", help="a checkpoint, with or without optimiser")
    add("--lfw", help="folder with pairs.txt, yunet_n_landmarks.csv, images/: learning curve")
    add("--minutes", type=float, default=60, help="length of the schedule, unless --steps is given")
    add("--steps", type=int, default=0)
    add("--batch", type=int, default=32)
    add("--lr", type=float, default=2.5e-3)
    add("--seed", type=int, default=1)
    add("--threads", type=int, default=1)
    add("--bf16", type=int, default=1, help="0: float32 throughout")
    add("--ring", type=int, default=0, help="blocks of 32 lessons that a process beside keeps ready (192: about 1.2 GB); 0: made in turn, reproducible")
    add("--repeats", type=float, default=3, help="with --ring: how often a lesson is drawn at most, on average")
    add("--hints", type=float, default=0.7, help="weight of the teacher's inner maps: less once they have shown the way")
    add("--every", type=float, default=6, help="minutes between checkpoints")
    command = commands.add_parser("export")
    command.set_defaults(run=export)
    command.add_argument("--checkpoint", required=True)
    command.add_argument("--onnx", required=True)
    command = commands.add_parser("measure")
    command.set_defaults(run=measure)
    command.add_argument("--checkpoint", required=True)
    command.add_argument("--teacher", required=True)
    command.add_argument("--lfw", required=True)
    command.add_argument("--scores", help="CSV of every pair's score")
    command.add_argument("--threads", type=int, default=1)
    command.add_argument("--bf16", type=int, default=1, help="of the teacher; the student is measured in float32")
    command = commands.add_parser("probe")
    command.set_defaults(run=probe)
    command.add_argument("--checkpoint", required=True)
    command.add_argument("--out", required=True)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    sys.exit(main())
