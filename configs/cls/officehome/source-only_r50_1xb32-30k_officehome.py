_base_ = 'cdan-mcc_r50_1xb32-30k_officehome.py'
work_dir = ('work_dirs/{{ fileBasenameNoExtension }}/'
            '{{$SOURCE_DOMAIN:Art}}-{{$TARGET_DOMAIN:Clipart}}')
model = dict(
    objectives=dict(
        joint=None, source=dict(type='mic_mm.SourceSupervision')))
