# One class.
_base_ = 'sada-faster-rcnn_r50-caffe_fpn.py'
model = dict(roi_head=dict(bbox_head=dict(num_classes=1)))
