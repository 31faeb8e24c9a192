# Copyright (c) mic_mm authors. All rights reserved.
"""Benchmarks of domain adaptation whose order of classes is fixed.

A checkpoint means the same only with the same order.  DomainNet's 345 classes
are in the file that ``tools/dataset_converters/domainnet.py`` writes.
"""
from mic_mm.registry import DATASETS

from .classification_dataset import ClassificationDataset


@DATASETS.register_module()
class VisDA2017(ClassificationDataset):
    """Synthetic renderings to photographs, 12 classes (Peng et al., 2017)."""

    METAINFO = dict(
        classes=('aeroplane', 'bicycle', 'bus', 'car', 'horse', 'knife',
                 'motorcycle', 'person', 'plant', 'skateboard', 'train',
                 'truck'))


@DATASETS.register_module()
class OfficeHome(ClassificationDataset):
    """Art, Clipart, Product, Real World, 65 classes.

    The order is that of the list files which CDAN, SDAT and MIC train on; it
    is not the alphabetical one (Venkateswara et al., CVPR 2017).
    """

    METAINFO = dict(
        classes=('Drill', 'Exit_Sign', 'Bottle', 'Glasses', 'Computer',
                 'File_Cabinet', 'Shelf', 'Toys', 'Sink', 'Laptop', 'Kettle',
                 'Folder', 'Keyboard', 'Flipflops', 'Pencil', 'Bed', 'Hammer',
                 'ToothBrush', 'Couch', 'Bike', 'Postit_Notes', 'Mug',
                 'Webcam', 'Desk_Lamp', 'Telephone', 'Helmet', 'Mouse', 'Pen',
                 'Monitor', 'Mop', 'Sneakers', 'Notebook', 'Backpack',
                 'Alarm_Clock', 'Push_Pin', 'Paper_Clip', 'Batteries',
                 'Radio', 'Fan', 'Ruler', 'Pan', 'Screwdriver', 'Trash_Can',
                 'Printer', 'Speaker', 'Eraser', 'Bucket', 'Chair',
                 'Calendar', 'Calculator', 'Flowers', 'Lamp_Shade', 'Spoon',
                 'Candles', 'Clipboards', 'Scissors', 'TV', 'Curtains',
                 'Fork', 'Soda', 'Table', 'Knives', 'Oven', 'Refrigerator',
                 'Marker'))


@DATASETS.register_module()
class Office31(ClassificationDataset):
    """Amazon, DSLR, Webcam, 31 classes (Saenko et al., ECCV 2010)."""

    METAINFO = dict(
        classes=('back_pack', 'bike', 'bike_helmet', 'bookcase', 'bottle',
                 'calculator', 'desk_chair', 'desk_lamp', 'desktop_computer',
                 'file_cabinet', 'headphones', 'keyboard', 'laptop_computer',
                 'letter_tray', 'mobile_phone', 'monitor', 'mouse', 'mug',
                 'paper_notebook', 'pen', 'phone', 'printer', 'projector',
                 'punchers', 'ring_binder', 'ruler', 'scissors', 'speaker',
                 'stapler', 'tape_dispenser', 'trash_can'))
