"""Pictures for training a face detector, composed while it trains.

Portraits are pasted with soft or hard edges into perspective views of panoramas, flat walls and textures; then the
whole picture is lit, blurred, greyed, made noisy and compressed as a cheap camera would. A scene comes twice, as
composed and as the camera shows it: the teacher looks at the first, the student learns on the second.

Coordinates are pixels of the scene, channels are B, G, R, values 0 to 255.
"""
import glob
import io
import math
import os
import random

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

PORTRAIT_SIDE = 192  # longest side of a portrait; also the square that labels are found in
CROP_SIDE = 112  # the aligned crops of the oldest set


class Portrait:
    """One face picture as a pyramid of halved copies, with its box (x, y, w, h) and its five landmarks [5, 2]."""

    def __init__(self, pixels, box, points):
        self.levels = [pixels]
        while min(self.levels[-1].shape[1:]) >= 24:
            self.levels.append(F.avg_pool2d(self.levels[-1][None], 2)[0])
        self.box, self.points = box, points


def read_bgr(path):
    pixels = np.asarray(Image.open(path).convert("RGB"))[:, :, ::-1]
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).float()


def padded(pixels, side):
    """To side x side, the picture at the top left, as the product pads; never shrinks."""
    _, h, w = pixels.shape
    return F.pad(pixels, (0, side - w, 0, side - h))


def portrait_files(folder):
    return sorted(glob.glob(os.path.join(folder, "portraits", "*", "*.jpg")))


def crop_files(folder):
    return sorted(glob.glob(os.path.join(folder, "us-congress-to-1931", "*.jpg")))


def label_portraits(folder, detect):
    """[file, box, landmarks] for every portrait in which `detect` (pixels [3, H, W] -> faces, best first) sees a face.

    The aligned crops have no surroundings: they are labelled inside a border of repeated pixels.
    """
    rows = []
    for path in portrait_files(folder):
        faces = detect(padded(read_bgr(path), PORTRAIT_SIDE))
        if faces:
            rows.append((path, faces[0][0], faces[0][1]))
    border = (PORTRAIT_SIDE - CROP_SIDE) // 2
    for path in crop_files(folder):
        pixels = F.pad(read_bgr(path)[None], (border,) * 4, mode="replicate")[0]
        faces = detect(pixels)
        if faces:
            box = np.array(faces[0][0]) - [border, border, 0, 0]
            rows.append((path, box, faces[0][1] - border))
    return rows


def load_portraits(rows):
    return [Portrait(read_bgr(path), np.asarray(box), np.asarray(points)) for path, box, points in rows]


def load_panoramas(folder):
    return [read_bgr(path) for path in sorted(glob.glob(os.path.join(folder, "panoramas", "*.jpg")))]


class Scenes:
    """Endless batches. Two of the same seed give the same pictures in the same order."""

    def __init__(self, portraits, panoramas, seed):
        self.portraits, self.panoramas = portraits, panoramas
        # The aligned crops, all old and grey, are many: they get a fifth of the draws.
        self.kinds = [[p for p in portraits if is_crop(p)], [p for p in portraits if not is_crop(p)]]
        if not (all(self.kinds) and panoramas):
            raise ValueError("scenes need portraits, aligned crops and panoramas")
        self.rng = random.Random(seed)
        self.noise = torch.Generator().manual_seed(seed)

    def batch(self, count, height, width):
        """-> composed [n, 3, H, W], seen [n, 3, H, W], faces: per scene a list of (box, landmarks)."""
        composed, faces = zip(*(self.scene(height, width) for _ in range(count)))
        seen = [self.camera(pixels) for pixels in composed]
        return torch.stack(composed).round(), torch.stack(seen), list(faces)

    # ---- what is in the picture

    def scene(self, height, width):
        rng = self.rng
        pixels = self.background(height, width)
        for _ in range(rng.choice((0, 0, 1, 2, 3))):
            self.paste_patch(pixels)
        faces = []
        if rng.random() < 0.75:
            others = rng.choices((0, 1, 2, 3, 4), (40, 24, 16, 12, 8))[0]
            in_front = rng.randint(0, others)  # of the one who may be large
            for _ in range(others - in_front):
                self.paste_face(pixels, faces, bystander=True)
            self.paste_face(pixels, faces, bystander=False)
            for _ in range(in_front):
                self.paste_face(pixels, faces, bystander=True)
        if rng.random() < 0.15:
            self.paste_patch(pixels)
            faces = []  # it may hide one: what is left is the teacher's to judge
        return pixels.clamp_(0, 255), faces

    def background(self, height, width):
        kind = self.rng.random()
        if kind < 0.76:
            return self.view(self.rng.choice(self.panoramas), height, width)
        if kind < 0.90:
            return self.wall(height, width)
        return self.texture(height, width)

    def view(self, panorama, height, width):
        """A perspective view of an equirectangular panorama: any yaw, pitch +-30, roll +-10, 35 to 115 degrees wide."""
        rng = self.rng
        focal = max(height, width) / 2 / math.tan(math.radians(rng.uniform(35, 115)) / 2)
        y, x = torch.meshgrid(
            (torch.arange(height) - height / 2) / focal, (torch.arange(width) - width / 2) / focal, indexing="ij"
        )
        roll, pitch = math.radians(rng.gauss(0, 5)), math.radians(rng.uniform(-30, 30))
        x, y = x * math.cos(roll) - y * math.sin(roll), x * math.sin(roll) + y * math.cos(roll)
        y, z = y * math.cos(pitch) - math.sin(pitch), y * math.sin(pitch) + math.cos(pitch)
        u = torch.atan2(x, z) / math.pi + rng.uniform(-1, 1)
        u = torch.remainder(u + 1, 2) - 1
        v = torch.atan2(y, torch.sqrt(x * x + z * z)) / (math.pi / 2)
        if rng.random() < 0.5:
            u = -u
        return F.grid_sample(
            panorama[None], torch.stack((u, v), -1)[None], padding_mode="border", align_corners=False
        )[0]

    def wall(self, height, width):
        """A colour that changes smoothly across the picture, sometimes striped."""
        rng = self.rng
        corners = torch.tensor([[rng.uniform(0, 255) for _ in range(4)] for _ in range(3)]).view(1, 3, 2, 2)
        mean = corners.mean((2, 3), keepdim=True)
        pixels = F.interpolate(mean + (corners - mean) * rng.random(), (height, width), mode="bilinear")[0]
        if rng.random() < 0.4:
            y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
            angle, period = rng.uniform(0, math.pi), rng.uniform(3, 60)
            wave = torch.sin((x * math.cos(angle) + y * math.sin(angle)) * 2 * math.pi / period)
            pixels = pixels + (wave.sign() if rng.random() < 0.5 else wave) * rng.uniform(5, 60)
        return pixels.clamp(0, 255)

    def texture(self, height, width):
        """Noise of several octaves, or a part of a portrait without its face, repeated as wallpaper."""
        rng = self.rng
        if rng.random() < 0.5:
            pixels = torch.full((1, 3, height, width), rng.uniform(40, 200))
            for octave in (3, 8, 20, 60):
                grain = torch.randn(1, rng.choice((1, 3)), octave, octave, generator=self.noise)
                pixels = pixels + F.interpolate(grain, (height, width), mode="bilinear") * rng.uniform(0, 50)
            return pixels[0].clamp(0, 255)
        patch = self.patch()
        size = [max(8, int(side * rng.uniform(0.3, 1.5))) for side in patch.shape[1:]]
        patch = F.interpolate(patch[None], size, mode="bilinear")[0]
        rows, columns = -(-height // size[0]), -(-width // size[1])
        return patch.repeat(1, rows, columns)[:, :height, :width].clone()

    def patch(self):
        """A part of a portrait below its face, or of a panorama; now and then any part of a portrait: of a face that
        something hides, or that the edge cuts off, the teacher says how much of a face is left."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.65:
            portrait = rng.choice(self.portraits)
            pixels = portrait.levels[0]
            if kind < 0.15:
                height, width = (rng.randint(24, side) for side in pixels.shape[1:])
                top, left = rng.randint(0, pixels.shape[1] - height), rng.randint(0, pixels.shape[2] - width)
                return pixels[:, top : top + height, left : left + width]
            top = int(portrait.box[1] + portrait.box[3] * 1.08)
            if pixels.shape[1] - top > 20:
                return pixels[:, top:]
        panorama = rng.choice(self.panoramas)
        size = rng.randint(24, 160)
        top, left = rng.randint(0, 511 - size), rng.randint(0, 1023 - size)
        return panorama[:, top : top + size, left : left + size]

    def paste_patch(self, pixels):
        """Something without a face, with the same edges as faces have, so that an edge is no sign of a face."""
        rng, (_, height, width) = self.rng, pixels.shape
        patch = self.patch()
        target = math.exp(rng.uniform(math.log(12), math.log(0.7 * min(height, width))))
        scale = target / max(patch.shape[1:])
        size = [max(6, int(side * scale)) for side in patch.shape[1:]]
        patch = F.interpolate(patch[None], size, mode="bilinear", antialias=scale < 1)[0]
        y, x = torch.meshgrid(torch.linspace(-1, 1, size[0]), torch.linspace(-1, 1, size[1]), indexing="ij")
        mask = self.edge(x, y, soft=rng.uniform(0.05, 0.4), oval=rng.random() < 0.6)
        self.blend(pixels, patch, mask, rng.randint(-size[0] // 2, height - size[0] // 2), rng.randint(-size[1] // 2, width - size[1] // 2))

    @staticmethod
    def edge(x, y, soft, oval):
        distance = torch.sqrt(x * x + y * y) if oval else torch.maximum(x.abs(), y.abs())
        return ((1 - distance) / soft).clamp(0, 1)

    @staticmethod
    def blend(pixels, patch, mask, top, left):
        _, height, width = pixels.shape
        y0, x0 = max(0, top), max(0, left)
        y1, x1 = min(height, top + patch.shape[1]), min(width, left + patch.shape[2])
        if y1 <= y0 or x1 <= x0:
            return
        part = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
        area = pixels[:, y0:y1, x0:x1]
        area += mask[part[0], part[1]] * (patch[:, part[0], part[1]] - area)

    def paste_face(self, pixels, faces, bystander):
        """One portrait, turned, mirrored, bent a little, in its own light. Adds (box, landmarks) to `faces`."""
        rng, (_, height, width) = self.rng, pixels.shape
        portrait = rng.choice(self.kinds[rng.random() >= 0.2])
        bx, by, bw, bh = portrait.box
        largest = min(height, width) * (0.5 if bystander else 0.95)
        size = math.exp(rng.uniform(math.log(9), math.log(largest)))
        scale = size / bh
        aspect = math.exp(rng.gauss(0, 0.06))
        angle = math.radians(rng.uniform(-40, 40) if rng.random() < 0.4 else rng.gauss(0, 8))
        mirror = -1 if rng.random() < 0.5 else 1
        turn, nod = (rng.gauss(0, 0.13), rng.gauss(0, 0.08)) if rng.random() < 0.6 else (0.0, 0.0)
        cx, cy = bx + bw / 2, by + bh / 2
        slack = 0.5 * size
        px = rng.uniform(min(slack, width / 2), max(width - slack, width / 2))
        py = rng.uniform(min(slack, height / 2), max(height - slack, height / 2))
        if rng.random() < (0.35 if bystander else 0.1):  # cut off by an edge of the picture
            beyond = rng.uniform(-0.1, 0.4) * size
            px, py = rng.choice(((beyond, py), (width - beyond, py), (px, beyond), (px, height - beyond)))

        # scene -> portrait: shift, turn, mirror, scale; then bend in units of half a face
        cos, sin = math.cos(angle), math.sin(angle)
        _, sh, sw = portrait.levels[0].shape
        corners = np.array([[-cx, -cy], [sw - cx, -cy], [sw - cx, sh - cy], [-cx, sh - cy]])
        corners = self.forward(corners, scale, aspect, mirror, cos, sin) + [px, py]
        x0, y0 = np.maximum(np.floor(corners.min(0)), 0).astype(int)
        x1, y1 = np.minimum(np.ceil(corners.max(0)) + 1, [width, height]).astype(int)
        if x1 - x0 < 2 or y1 - y0 < 2:
            return
        y, x = torch.meshgrid(
            torch.arange(y0, y1, dtype=torch.float32) - py, torch.arange(x0, x1, dtype=torch.float32) - px, indexing="ij"
        )
        u = (x * cos + y * sin) * mirror / (scale * aspect) / (bw / 2)
        v = (-x * sin + y * cos) / scale / (bh / 2)
        fade = torch.exp(-(u * u + v * v) / 2.5)
        u, v = u + turn * fade, v + nod * fade
        level = min(max(0, int(math.floor(-math.log2(max(scale, 1e-3)) + 0.3))), len(portrait.levels) - 1)
        grid = torch.stack(((u * bw / 2 + cx + 0.5) / sw * 2 - 1, (v * bh / 2 + cy + 0.5) / sh * 2 - 1), -1)
        face = F.grid_sample(portrait.levels[level][None], grid[None], padding_mode="border", align_corners=False)[0]
        mask = self.face_mask(u, v, grid)
        face = self.own_light(face, u, v)
        if size > 16 and rng.random() < 0.25:  # out of focus, for the teacher too: such are the people in the background
            face = blurred(face, min(3.0, size * rng.uniform(0.01, 0.05)))
        area = pixels[:, y0:y1, x0:x1]
        area += mask * (face - area)
        faces[:] = [f for f in faces if hidden_share(f[0], mask, x0, y0) < 0.25]

        # where the landmarks went: the bend has no closed inverse, so step towards it
        points = (portrait.points - [cx, cy]) / [bw / 2, bh / 2]
        bent = points.copy()
        for _ in range(4):
            fade = np.exp(-(bent**2).sum(1, keepdims=True) / 2.5)
            bent = points - fade * [turn, nod]
        bent = self.forward(bent * [bw / 2, bh / 2], scale, aspect, mirror, cos, sin) + [px, py]
        if mirror < 0:
            bent = bent[[1, 0, 2, 4, 3]]
        box = np.array([[-bw, -bh], [bw, -bh], [bw, bh], [-bw, bh]]) / 2
        box = self.forward(box, scale, aspect, mirror, cos, sin) + [px, py]
        side = np.array([bw * aspect, bh]) * scale
        low = box.mean(0) - side / 2
        shown = (np.minimum(low + side, [width, height]) - np.maximum(low, 0)).clip(0).prod() / side.prod()
        if shown > 0.7:  # of less the teacher judges alone
            faces.append((np.concatenate([low, side]), bent))

    @staticmethod
    def forward(points, scale, aspect, mirror, cos, sin):
        x, y = points[:, 0] * scale * aspect * mirror, points[:, 1] * scale
        return np.stack([x * cos - y * sin, x * sin + y * cos], 1)

    def face_mask(self, u, v, grid):
        """The whole rectangle, or head and shoulders; u, v in half faces from the face's centre."""
        rng = self.rng
        soft = rng.uniform(0.02, 0.15)
        whole = self.edge(grid[..., 0], grid[..., 1], soft, oval=False)
        if rng.random() < 0.4:
            return whole
        soft = rng.uniform(0.1, 0.35)
        head = ((1 - torch.sqrt((u / 1.6) ** 2 + ((v + 0.15) / 1.5) ** 2)) / soft).clamp(0, 1)
        shoulders = ((1 - torch.sqrt((u / 3.0) ** 2 + ((v - 3.4) / 2.2) ** 2)) / soft).clamp(0, 1)
        return torch.maximum(head, shoulders) * whole

    def own_light(self, face, u, v):
        rng = self.rng
        if rng.random() < 0.5:
            gain = math.exp(rng.gauss(0, 0.35))
            tint = torch.tensor([math.exp(rng.gauss(0, 0.08)) for _ in range(3)]).view(3, 1, 1)
            face = face * gain * tint
        if rng.random() < 0.3:
            slope, angle = rng.uniform(0, 0.6), rng.uniform(0, 2 * math.pi)
            face = face * (1 + slope * torch.tanh(u * math.cos(angle) + v * math.sin(angle)))
        if rng.random() < 0.2:
            face = face.mean(0, keepdim=True).expand(3, -1, -1)
        return face.clamp(0, 255)

    # ---- how a camera shows it

    def camera(self, pixels):
        rng = self.rng
        x = pixels
        if rng.random() < 0.15:
            return x.round()
        if rng.random() < 0.25:  # grey, or the channel mix of an infra-red picture
            weights = torch.tensor([0.114, 0.587, 0.299] if rng.random() < 0.6 else [0.1, 0.2, 0.7])
            x = (x * weights.view(3, 1, 1)).sum(0, keepdim=True).expand(3, -1, -1)
        if rng.random() < 0.5:
            x = self.light(x)
        if rng.random() < 0.35:
            x = blurred(x, rng.uniform(0.3, 1.3))
        if rng.random() < 0.45:
            sigma = abs(rng.gauss(0, 7)) * rng.choice((0.5, 1, 1.6))
            grain = torch.randn(rng.choice((1, 3)), *x.shape[1:], generator=self.noise)
            x = x + grain * sigma
        x = x.clamp(0, 255)
        if rng.random() < 0.35:
            x = jpeg(x, rng.randint(25, 90))
        return x.round()

    def light(self, x):
        rng = self.rng
        x = (x / 255).clamp(0, 1) ** math.exp(rng.gauss(0, 0.45)) * 255
        kind = rng.random()
        if kind < 0.25:  # night
            x = x * rng.uniform(0.12, 0.5)
        elif kind < 0.4:  # too bright
            x = x * rng.uniform(1.2, 2.0)
        elif kind < 0.7:
            x = (x - 128) * rng.uniform(0.4, 1.3) + 128 + rng.uniform(-40, 40)
        if rng.random() < 0.3:
            slope = F.interpolate(torch.rand(1, 1, 2, 2, generator=self.noise), x.shape[1:], mode="bilinear")[0]
            x = x * (0.4 + 1.1 * slope)
        if rng.random() < 0.3:
            x = x * torch.tensor([math.exp(rng.gauss(0, 0.12)) for _ in range(3)]).view(3, 1, 1)
        return x


def is_crop(portrait):
    return max(portrait.levels[0].shape[1:]) <= CROP_SIDE


def hidden_share(box, mask, left, top):
    """How much of `box` lies under `mask`, whose first pixel is at (left, top): 0 to 1."""
    x0, y0 = max(0, int(box[0] - left)), max(0, int(box[1] - top))
    x1, y1 = max(0, int(box[0] + box[2] - left)), max(0, int(box[1] + box[3] - top))
    return float(mask[y0:y1, x0:x1].sum()) / float(box[2] * box[3])


def blurred(x, sigma):
    radius = max(1, int(2.5 * sigma + 0.5))
    at = torch.arange(-radius, radius + 1, dtype=torch.float32)
    kernel = torch.exp(-(at**2) / (2 * sigma * sigma))
    kernel = kernel / kernel.sum()
    x = F.pad(x[:, None], (radius,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(x, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))[:, 0]


def jpeg(x, quality):
    picture = Image.fromarray(x.round().byte().permute(1, 2, 0).flip(-1).contiguous().numpy())
    memory = io.BytesIO()
    picture.save(memory, "JPEG", quality=quality)
    pixels = np.asarray(Image.open(memory))[:, :, ::-1]
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).float()
