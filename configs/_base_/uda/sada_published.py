# SADA as its code has it: the instance classifiers end behind the finest level.
_base_ = 'sada.py'
uda = dict(
    objectives=dict(joint=dict(instance_head=dict(first_level_only=True))))
