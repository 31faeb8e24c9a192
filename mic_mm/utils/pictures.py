# Copyright (c) mic_mm authors. All rights reserved.
"""Pictures in and out: of a file, a folder or a video."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import cv2
import mmcv
import numpy as np

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.ppm', '.pgm', '.tif',
                  '.tiff', '.webp')
VIDEO_SUFFIXES = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v')


def is_hidden(path: str | Path) -> bool:
    """Whether a relative path leads through what systems leave behind.

    Names with a dot in front, such as ``.ipynb_checkpoints`` and ``._a.jpg``,
    and the folder ``__MACOSX``.
    """
    return any(
        part.startswith('.') or part == '__MACOSX'
        for part in Path(path).parts)


@dataclass(frozen=True)
class Picture:
    """An image, or a frame of a video.

    Args:
        name (str): Without suffix; unique within its folder or video.
        pixels (np.ndarray): BGR in [0, 255], (H, W, 3), uint8.
        path (Path, optional): Its file; None for a frame of a video.
    """
    name: str
    pixels: np.ndarray
    path: Optional[Path] = None


class PictureSource:
    """The pictures of a file, of a folder (not below), or of a video.

    Args:
        path (str | Path): Image, folder of images, or video.

    Attributes:
        frame_rate (float | None): Of a video, in frames per second.

    Raises:
        FileNotFoundError: If there is nothing at ``path``.
        ValueError: If it is neither, or has no picture.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise FileNotFoundError(
                f'{str(path)!r} does not exist (looked from {Path.cwd()}). '
                'Give an image, a folder of images or a video.')
        self.frame_rate: Optional[float] = None
        self._files: list[Path] = []
        if self.path.is_dir():
            self._files = _images_of(self.path)
        elif _has(self.path, VIDEO_SUFFIXES):
            self._video = _open_video(self.path)
            self.frame_rate = self._video.fps
        elif _has(self.path, IMAGE_SUFFIXES):
            self._files = [self.path]
        else:
            raise ValueError(
                f'{str(path)!r} is neither an image {IMAGE_SUFFIXES} nor a '
                f'video {VIDEO_SUFFIXES}, by its suffix.')

    @property
    def is_video(self) -> bool:
        """Whether the pictures are frames."""
        return self.frame_rate is not None

    def __len__(self) -> int:
        return len(self._video) if self.is_video else len(self._files)

    def __iter__(self) -> Iterator[Picture]:
        if self.is_video:
            for index, frame in enumerate(self._video):
                # What a container says of its length is an estimate.
                if frame is not None:
                    yield Picture(f'{index:06d}', frame)
            return
        stems = Counter(path.stem for path in self._files)
        for path in self._files:
            name = path.stem if stems[path.stem] == 1 else path.name
            yield Picture(name, _read(path), path)


class PictureWriter:
    """Writes pictures to a folder, or frames to a video in it.

    Args:
        folder (str | Path): Is made if it does not exist.
        video (str, optional): File name of the video. Defaults to None,
            each picture becomes a PNG file.
        frame_rate (float): Of the video, in frames per second. Defaults to
            25, for containers that do not know.
    """

    def __init__(self,
                 folder: str | Path,
                 video: Optional[str] = None,
                 frame_rate: float = 25.) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file = self.folder / video if video else None
        self._frame_rate = frame_rate or 25.
        self._video: Optional[cv2.VideoWriter] = None

    def write(self, name: str, pixels: np.ndarray) -> Path:
        """Write a picture.

        Args:
            name (str): Without suffix; of no meaning in a video.
            pixels (np.ndarray): RGB in [0, 255], (H, W, 3), uint8. Frames of
                a video must be of one size.

        Returns:
            Path: The file.

        Raises:
            OSError: If it cannot be written.
        """
        image = np.ascontiguousarray(pixels[..., ::-1])
        if self._file is not None:
            self._open(image).write(image)
            return self._file
        path = self.folder / f'{name}.png'
        if not cv2.imwrite(str(path), image):
            raise OSError(f'{path} cannot be written.')
        return path

    def close(self) -> None:
        """Finish the video, if any."""
        if self._video is not None:
            self._video.release()

    def __enter__(self) -> PictureWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _open(self, image: np.ndarray) -> cv2.VideoWriter:
        if self._video is None:
            height, width = image.shape[:2]
            self._video = cv2.VideoWriter(
                str(self._file), cv2.VideoWriter.fourcc(*'mp4v'),
                self._frame_rate, (width, height))
            if not self._video.isOpened():
                raise OSError(f'{self._file}: OpenCV cannot write MP4 videos '
                              'here. Write the frames instead.')
        return self._video


def _has(path: Path, suffixes: tuple[str, ...]) -> bool:
    return path.suffix.lower() in suffixes


def _images_of(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.iterdir()
                   if path.is_file() and _has(path, IMAGE_SUFFIXES))
    if not found:
        raise ValueError(f'The folder {str(folder)!r} has no image '
                         f'{IMAGE_SUFFIXES}; folders in it are not searched.')
    return found


def _open_video(path: Path) -> mmcv.VideoReader:
    video = mmcv.VideoReader(str(path))
    if not video.opened or len(video) == 0:
        raise ValueError(f'{str(path)!r} is no video that OpenCV can read.')
    return video


def _read(path: Path) -> np.ndarray:
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f'{str(path)!r} is no image, or is damaged.')
    return pixels
