# One class.
_base_ = 'faster-rcnn_r50_fpn.py'
model = dict(roi_head=dict(bbox_head=dict(num_classes=1)))
