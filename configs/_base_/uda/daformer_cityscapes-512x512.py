# For crops of the full height of Cityscapes at half its size: no trust in labels at the
# top, where the image is rectified, and at the bottom, the bonnet of the car.
_base_ = 'daformer.py'
uda = dict(labeller=dict(ignore_top=15, ignore_bottom=120))
