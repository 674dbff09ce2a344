#!/usr/bin/env python3
"""Makes the residents and strangers of fixtures/faces: pictures of people who do not exist.

Each is composed of six portraits of six people (public domain, ../shared/train-faces/LICENCES.md): every part of the
face has another main source and something of all, the bands of detail have weights of their own, and the whole is
bent to a shape that none of them has. The teacher then says whether that is one of the people it was made of, or any
other of the collection: who resembles one is thrown away. Views are the same face turned, lit, moved, before other
backgrounds.

  residents.py --shared ../../../shared --work DIR --out ../../fixtures/faces
  residents.py --shared ../../../shared --work DIR --search 420

DIR keeps what was found out about the portraits (four minutes, once), and gets a report. The same portraits give the
same pictures (up to rounding): every person, and every person's views, have a seed of their own.
"""
import argparse
import io
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw

import detector
from recogniser import TEACHER_POINTS, Teacher
from scenes import PORTRAIT_SIDE, padded

# A picture, and where the five landmarks of a face stand in it before its own shape is made.
WIDTH, HEIGHT = 192, 224
POINTS = TEACHER_POINTS + [32, 34]
SOURCES = 6
# The one set of portraits that is in the public domain by its maker's own word.
COLLECTION = "us-congress-gpo"


# ---------------------------------------------------------------------------------------------- portraits

class Looker:
    """Where a face is, and who the teacher takes it for. Pictures are RGB [3, H, W], 0..255."""

    def __init__(self, models):
        self.detect_graph = detector.Teacher(str(models / "yunet_n_dynamic.onnx"))
        self.teacher = Teacher(str(models / "face-reidentification-retail-0095.onnx"), torch.float32).eval()

    @torch.no_grad()
    def faces(self, picture, threshold=0.6):
        """(box, landmarks [5, 2], score) of each, the surest first."""
        _, height, width = picture.shape
        whole = F.pad(picture.flip(0), (0, -width % 32, 0, -height % 32))  # as the product: multiples of 32, B, G, R
        return detector.decode(self.detect_graph(whole[None]), threshold)

    def landmarks(self, picture):
        """[5, 2] of the surest face, or None."""
        faces = self.faces(picture)
        return faces[0][1] if faces else None

    @torch.no_grad()
    def embedding(self, picture, points):
        """256 numbers of length 1."""
        chip = warp(picture, similarity(points, TEACHER_POINTS), 128, 128)
        return F.normalize(self.teacher.look(chip[None] / 255)[0])[0]


def similarity(points, targets):
    """2x3 from picture to target coordinates: least squares, as agent/vision/alignment.ts."""
    middle, target = points.mean(0), targets.mean(0)
    p, q = points - middle, targets - target
    a = (p * q).sum() / (p * p).sum()
    b = (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum() / (p * p).sum()
    turn = np.array([[a, -b], [b, a]])
    return np.concatenate([turn, (target - turn @ middle)[:, None]], 1)


def sample(picture, x, y):
    """The picture at pixel coordinates x, y [H, W]; bicubic, edges repeated."""
    _, height, width = picture.shape
    grid = torch.stack([(x + 0.5) / width * 2 - 1, (y + 0.5) / height * 2 - 1], -1)[None].float()
    return F.grid_sample(picture[None].float(), grid, mode="bicubic", padding_mode="border", align_corners=False)[0].clamp(0, 255)


def pixels(width, height):
    y, x = torch.meshgrid(torch.arange(height, dtype=torch.float64), torch.arange(width, dtype=torch.float64), indexing="ij")
    return x, y


def warp(picture, to_target, width, height):
    """`to_target` takes picture to target coordinates."""
    turn = np.linalg.inv(to_target[:, :2])
    x, y = pixels(width, height)
    x, y = x - to_target[0, 2], y - to_target[1, 2]
    return sample(picture, turn[0, 0] * x + turn[0, 1] * y, turn[1, 0] * x + turn[1, 1] * y)


def picture_of(path):
    """RGB [3, H, W], 0..255, of a file or of what was read from one."""
    return torch.from_numpy(np.asarray(Image.open(path).convert("RGB")).transpose(2, 0, 1).copy()).float()


def read_portraits(folder, looker, cache):
    """Every portrait with a face, upright on the canvas: canvases [n, 3, H, W] uint8, landmarks there, embeddings."""
    if cache.exists():
        return torch.load(cache)
    files, canvases, landmarks, embeddings = [], [], [], []
    for path in sorted(folder.glob("*.jpg")):
        picture = picture_of(path)
        points = looker.landmarks(padded(picture, PORTRAIT_SIDE))
        if points is None:
            continue
        place = similarity(points, POINTS)
        files.append(path.name)
        canvases.append(warp(picture, place, WIDTH, HEIGHT).round().byte())
        landmarks.append(points @ place[:, :2].T + place[:, 2])
        embeddings.append(looker.embedding(picture, points))
    found = {"files": files, "canvases": torch.stack(canvases), "landmarks": np.stack(landmarks), "embeddings": torch.stack(embeddings)}
    torch.save(found, cache)
    return found


# ---------------------------------------------------------------------------------------------- faces

# Parts of the face: centre x, centre y, half width, half height on the canvas.
PARTS = {"eyes": (96, 89, 44, 15), "nose": (96, 112, 15, 17), "mouth": (96, 143, 30, 15), "forehead": (96, 62, 42, 15), "cheeks": (96, 122, 46, 44)}
LEVELS = 5


def bent(picture, points, targets, reach=30.0):
    """The picture with `points` moved onto `targets`, and what is near with them."""
    def falloff(a, b):
        return np.exp(-((a[:, None] - b[None]) ** 2).sum(-1) / (2 * reach**2))
    weights = torch.from_numpy(np.linalg.solve(falloff(targets, targets), points - targets))
    _, height, width = picture.shape
    left, top = x, y = pixels(width, height)
    for (tx, ty), (wx, wy) in zip(targets, weights):
        near = torch.exp(-((left - tx) ** 2 + (top - ty) ** 2) / (2 * reach**2))
        x, y = x + wx * near, y + wy * near
    return sample(picture, x, y)


def face_oval(soft=0.18):
    x, y = pixels(WIDTH, HEIGHT)
    distance = torch.sqrt(((x - 96) / 45) ** 2 + ((y - 112) / 62) ** 2)
    return ((1 + soft - distance) / (2 * soft)).clamp(0, 1).float()


def part_masks():
    """[parts, H, W], each 0 to 1."""
    x, y = pixels(WIDTH, HEIGHT)
    masks = []
    for cx, cy, rx, ry in PARTS.values():
        distance = torch.sqrt(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2)
        masks.append(((1.35 - distance) / 0.7).clamp(0, 1))
    return torch.stack(masks).float()


def weights_of(sources, share):
    """[sources, H, W] that sum to 1: the first source everywhere outside the face; within it the source of each part
    has `share` there, and the rest is everybody's."""
    masks = part_masks() + 1e-3
    masks[-1] *= 0.35  # cheeks are what is between the others
    masks = masks / masks.sum(0)
    inner = torch.full((sources, HEIGHT, WIDTH), (1 - share) / sources)
    for part in range(len(PARTS)):
        inner[1 + part] += share * masks[part]
    outer = torch.zeros(sources, HEIGHT, WIDTH)
    outer[0] = 1
    oval = face_oval()
    return outer + (inner - outer) * oval


def in_colours_of(picture, other):
    """Mean and spread of each colour within the face as in `other`."""
    oval = face_oval()
    def figures(p):
        mean = (p * oval).sum((1, 2)) / oval.sum()
        spread = torch.sqrt((((p - mean[:, None, None]) ** 2) * oval).sum((1, 2)) / oval.sum())
        return mean[:, None, None], spread[:, None, None]
    (mean, spread), (wanted, wanted_spread) = figures(picture), figures(other)
    return ((picture - mean) * (wanted_spread / (spread + 1)).clamp(0.7, 1.4) + wanted).clamp(0, 255)


def shrunk(x):
    return F.avg_pool2d(F.pad(x, (0, x.shape[-1] % 2, 0, x.shape[-2] % 2), mode="replicate"), 2)


def enlarged(x, like):
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)


def blended(pictures):
    """Band by band: what is fine mostly from the part's own source, what is broad from everybody."""
    bands, now = [], pictures
    for _ in range(LEVELS - 1):
        below = shrunk(now)
        bands.append(now - enlarged(below, now))
        now = below
    bands.append(now)
    result = None
    for level in reversed(range(LEVELS)):
        share = 0.9 - 0.55 * level / (LEVELS - 1)
        weights = F.interpolate(weights_of(len(pictures), share)[None], bands[level].shape[-2:], mode="area")[0][:, None]
        band = (bands[level] * weights).sum(0, keepdim=True)
        result = band if result is None else enlarged(result, band) + band
    return result[0].clamp(0, 255)


def own_shape(picture, rng, size=4.0):
    """A smooth warp, mostly the same on both sides, as heads differ."""
    field = torch.from_numpy(rng.normal(0, size, (1, 2, 6, 6))).float()
    d = F.interpolate(field, (HEIGHT, WIDTH), mode="bicubic", align_corners=True)[0]
    dx, dy = d[0], d[1]
    dx, dy = 0.15 * dx + 0.85 * (dx - dx.flip(1)) / 2, 0.15 * dy + 0.85 * (dy + dy.flip(1)) / 2
    x, y = pixels(WIDTH, HEIGHT)
    return sample(picture, x + dx, y + dy)


class Composer:
    def __init__(self, found):
        self.files, self.canvases, self.landmarks, self.embeddings = (found[key] for key in ("files", "canvases", "landmarks", "embeddings"))
        faces = self.canvases.float()
        oval = face_oval()
        small = F.interpolate(faces * oval, (28, 24), mode="area")
        self.looks = small.flatten(1)
        chroma = (faces.amax(1) - faces.amin(1)).mean((1, 2))
        # The bridge of spectacles: a dark or bright bar between the eyes.
        bridge = faces[:, :, 82:104, 90:103].mean(1).mean(2)
        bar = (bridge[:, 1:] - bridge[:, :-1]).abs().amax(1)
        # A plain wall behind the head, so that it can be cut out.
        top = torch.cat([faces[:, :, :40, :22].flatten(2), faces[:, :, :40, -22:].flatten(2)], 2)
        self.plain = top.std(2).mean(1)
        self.usable = np.flatnonzero(((chroma > 18) & (bar < bar.quantile(0.55))).numpy())
        self.bases = [i for i in self.usable if self.plain[i] < 14]

    def compose(self, seed):
        """-> picture [3, H, W], the numbers of the portraits it was made of."""
        rng = np.random.default_rng(seed)
        base = int(rng.choice(self.bases))
        near = (self.looks[self.usable] - self.looks[base]).pow(2).sum(1).argsort()[1:61]
        others = rng.choice(self.usable[near.numpy()], SOURCES - 1, replace=False)
        numbers = [base, *map(int, others)]
        mirror = rng.random(SOURCES) < 0.5
        aligned = []
        for number, turn in zip(numbers, mirror):
            picture, points = self.canvases[number].float(), self.landmarks[number]
            if turn:
                picture = picture.flip(2)
                points = (np.array([WIDTH - 1, 0]) + points * [-1, 1])[[1, 0, 2, 4, 3]]
            aligned.append(bent(picture, points, POINTS))
        first = aligned[0]
        aligned = torch.stack([first, *(in_colours_of(p, first) for p in aligned[1:])])
        return own_shape(blended(aligned), rng), numbers


# ---------------------------------------------------------------------------------------------- views

VIEWS = 6


def smooth(x, low, high):
    x = ((x - low) / (high - low)).clamp(0, 1)
    return x * x * (3 - 2 * x)


def matte(picture):
    """[1, H, W]: 1 where the person is, 0 on the plain wall behind: what is like the wall and joined to the border."""
    x, y = pixels(WIDTH, HEIGHT)
    border = ((y < 118) & ((x < 12) | (x >= WIDTH - 12))) | (y < 6)
    terms = torch.stack([torch.ones_like(x), x / WIDTH, y / HEIGHT, (x / WIDTH) ** 2, (y / HEIGHT) ** 2], -1).float()
    colours = picture.permute(1, 2, 0)
    known = border
    for _ in range(5):  # what was found to be wall says better how the wall goes on, down to the shoulders
        fit = torch.linalg.lstsq(terms[known], colours[known]).solution
        away = (colours - terms @ fit).norm(dim=-1)
        fitting = known & (away < 2.5 * away[known].median() + 4)  # not the hair or ear that reaches into the border
        fit = torch.linalg.lstsq(terms[fitting], colours[fitting]).solution
        away = (colours - terms @ fit).norm(dim=-1)
        behind = joined((away < 28), border)
        known = behind & (away < 20)
    behind = F.max_pool2d(behind[None].float(), 3, 1, 1)
    alpha = 1 - behind * (1 - smooth(away[None], 18, 50))
    return F.avg_pool2d(F.pad(alpha[None], (1, 1, 1, 1), mode="replicate"), 3, 1)[0]


def joined(like, start):
    """Where `like` holds and a way over such places leads to `start`."""
    like = like[None].float()
    reached = like * start[None]
    while True:
        grown = F.max_pool2d(reached, 3, 1, 1) * like
        if torch.equal(grown, reached):
            return reached[0] > 0
        reached = grown


def panorama_view(panorama, rng):
    """A part of a panorama as a camera at a door sees it, out of focus; [3, H, W]."""
    focal = HEIGHT / 2 / math.tan(math.radians(rng.uniform(55, 80)) / 2)
    x, y = pixels(WIDTH, HEIGHT)
    x, y = (x - WIDTH / 2) / focal, (y - HEIGHT / 2) / focal
    pitch = rng.uniform(-0.15, 0.1)
    y, z = y * math.cos(pitch) - math.sin(pitch), y * math.sin(pitch) + math.cos(pitch)
    _, height, width = panorama.shape
    u = torch.remainder(torch.atan2(x, z) / math.pi + rng.uniform(-1, 1) + 1, 2) / 2 * (width - 1)
    v = (torch.atan2(y, torch.sqrt(x * x + z * z)) / math.pi + 0.5) * (height - 1)
    return blurred(sample(panorama, u, v), rng.uniform(1.0, 2.0))


def blurred(x, sigma):
    reach = max(1, math.ceil(2.5 * sigma))
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1.0) / sigma) ** 2)
    weights = weights / weights.sum()
    x = F.pad(x[:, None], (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(x, weights.view(1, 1, 1, -1)), weights.view(1, 1, -1, 1))[:, 0]


def turned(x, y, points, yaw, pitch):
    """Where in the picture of a head that looks ahead lies what is at x, y when it is turned, in parts of half a face
    that its middle moves: most in the middle, nothing at shoulders and wall, and never so much that it folds."""
    middle = points.mean(0)
    u, v = (x - middle[0]) / 52, (y - middle[1]) / 66
    fade = torch.exp(-(u * u + v * v) / 2.5)
    return x + 52 * yaw * fade, y + 66 * pitch * fade


def view(picture, alpha, points, panorama, index, rng):
    """The person as on another day: number 0 looks straight ahead in even light, the later ones less so."""
    much = min(1.0, 0.25 + 0.3 * index)
    side = 1 if rng.random() < 0.5 else -1
    yaw, pitch = side * rng.uniform(0.08, 0.3) * much, rng.normal(0, 0.07) * much
    scale = rng.uniform(0.86, 1.06)
    angle = rng.normal(0, 0.045) * much
    x, y = pixels(WIDTH, HEIGHT)
    # On the picture's lower edge stands the person.
    x, y = (x - WIDTH / 2 - rng.normal(0, 5)) / scale, (y - HEIGHT) / scale
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = cos * x - sin * y + WIDTH / 2, sin * x + cos * y + HEIGHT
    x, y = turned(x, y, points, yaw, pitch)
    person, cut = sample(picture, x, y), sample(alpha, x, y).clamp(0, 1)
    if rng.random() < 0.5 * much:
        person = person * (1 + torch.tanh((x - 96) / 45).float() * side * rng.uniform(0.1, 0.3))
    warm = torch.tensor([1 + rng.normal(0, 0.05), 1.0, 1 + rng.normal(0, 0.06)]).view(3, 1, 1).float()
    person = person * warm * math.exp(rng.normal(0, 0.12 * much))
    # The plain wall of the portrait shines through fine hair: what is half seen goes towards the new wall.
    result = panorama_view(panorama, rng)
    result = result + (person - result) * cut
    result = ((result / 255).clamp(0, 1) ** math.exp(rng.normal(0, 0.12 * much))) * 255
    if index >= 3:
        result = blurred(result, rng.uniform(0.35, 0.7))
    result = result + torch.from_numpy(rng.normal(0, 1.5 + 2.5 * much, tuple(result.shape))).float()
    return result.clamp(0, 255)


def jpeg(picture, quality=86):
    memory = io.BytesIO()
    Image.fromarray(picture.round().byte().permute(1, 2, 0).numpy()).save(memory, "JPEG", quality=quality, optimize=True)
    return memory.getvalue()


# ---------------------------------------------------------------------------------------------- the set

# Numbers of compositions (the seeds of Composer.compose), chosen by eye on the sheets of `search` among those that
# resemble nobody: what looks like a face, different from the others, and with its hair inside the picture.
RESIDENTS = (480, 125, 215, 273, 328, 498, 398, 350)
STRANGERS = (222, 472, 340, 260)

# ../shared/models/MODELS.md: one in a thousand pairs of different people is more alike than this to the teacher.
DIFFERENT_PERSON = 0.338


def resemblance(embeddings, embedding, numbers):
    """-> the greatest cosine to a portrait it was made of, and to any portrait of the collection."""
    cosines = embeddings @ embedding
    return float(cosines[numbers].max()), float(cosines.max())


def search(composer, looker, count, work):
    """Sheets of the compositions that resemble nobody, with their numbers, to choose from."""
    kept = []
    for seed in range(count):
        picture, numbers = composer.compose(seed)
        points = looker.landmarks(picture)
        if points is not None and resemblance(composer.embeddings, looker.embedding(picture, points), numbers)[1] < DIFFERENT_PERSON:
            kept.append((seed, picture))
    for start in range(0, len(kept), 32):
        sheet = Image.new("RGB", (8 * WIDTH, 4 * HEIGHT))
        for i, (seed, picture) in enumerate(kept[start : start + 32]):
            at = (i % 8 * WIDTH, i // 8 * HEIGHT)
            sheet.paste(Image.fromarray(picture.round().byte().permute(1, 2, 0).numpy()), at)
            ImageDraw.Draw(sheet).text((at[0] + 4, at[1] + 4), str(seed), fill=(255, 255, 0))
        sheet.save(work / f"sheet-{start // 32 + 1}.png")
    print(f"{len(kept)} of {count} resemble nobody: {work}/sheet-*.png")


def make(composer, looker, panoramas, out, work):
    """Writes the pictures, and measures them as they were written. Stops if they are not what they should be."""
    names = [f"resident-{i + 1}" for i in range(len(RESIDENTS))] + [f"stranger-{i + 1}" for i in range(len(STRANGERS))]
    report, everybody = [], []
    sheet = Image.new("RGB", (VIEWS * WIDTH, len(names) * HEIGHT))
    for row, (name, seed) in enumerate(zip(names, RESIDENTS + STRANGERS)):
        picture, numbers = composer.compose(seed)
        points, alpha = looker.landmarks(picture), matte(picture)
        rng = np.random.default_rng([seed, 1])
        (out / name).mkdir(parents=True, exist_ok=True)
        seen = []
        for index in range(VIEWS):
            while True:  # until nothing in the background looks like a face
                data = jpeg(view(picture, alpha, points, panoramas[rng.integers(len(panoramas))], index, rng))
                written = picture_of(io.BytesIO(data))
                if len(looker.faces(written, 0.3)) == 1:
                    break
            (out / name / f"{index + 1}.jpg").write_bytes(data)
            sheet.paste(Image.open(io.BytesIO(data)), (index * WIDTH, row * HEIGHT))
            seen.append(looker.embedding(written, looker.landmarks(written)))
        everybody.append(torch.stack(seen))
        alike = [resemblance(composer.embeddings, e, numbers) for e in (looker.embedding(picture, points), *seen)]
        same = (everybody[-1] @ everybody[-1].T)[np.triu_indices(VIEWS, 1)]
        report.append({"name": name, "seed": seed, "sources": [composer.files[n] for n in numbers], "most_like_a_source": round(max(a for a, _ in alike), 3),
                       "most_like_anybody": round(max(b for _, b in alike), 3), "least_between_views": round(float(same.min()), 3)})
    sheet.save(work / "views.png")
    for i, (entry, mine) in enumerate(zip(report, everybody)):
        others = torch.cat(everybody[:i] + everybody[i + 1 :])
        entry["most_like_another"] = round(float((mine @ others.T).max()), 3)
    figures = {"least_between_views": min(e["least_between_views"] for e in report), "bytes": sum(f.stat().st_size for f in out.glob("*/*.jpg")),
               **{key: max(e[key] for e in report) for key in ("most_like_a_source", "most_like_anybody", "most_like_another")}}
    (work / "report.json").write_text(json.dumps({"figures": figures, "people": report}, indent=1))
    for entry in report:
        print(json.dumps({key: value for key, value in entry.items() if key != "sources"}))
    print(json.dumps(figures))
    if figures["most_like_a_source"] >= DIFFERENT_PERSON or figures["most_like_another"] >= DIFFERENT_PERSON:
        raise SystemExit("somebody resembles a source, or another: choose other numbers")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", required=True, type=Path, help="folder with models/ and train-faces/")
    parser.add_argument("--work", required=True, type=Path, help="kept between runs: what was found out about the portraits")
    parser.add_argument("--out", type=Path, help="fixtures/faces")
    parser.add_argument("--search", type=int, help="instead: sheets of those of the first so many compositions that resemble nobody")
    options = parser.parse_args()
    if (options.out is None) == (options.search is None):
        parser.error("one of --out and --search")
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    faces = options.shared / "train-faces"
    looker = Looker(options.shared / "models")
    composer = Composer(read_portraits(faces / "portraits" / COLLECTION, looker, options.work / "portraits.pt"))
    if options.search:
        return search(composer, looker, options.search, options.work)
    panoramas = [picture_of(file) for file in sorted((faces / "panoramas").glob("*.jpg"))]
    make(composer, looker, panoramas, options.out, options.work)


if __name__ == "__main__":
    main()
