_base_ = 'mic_tiny-resnet_1xb32-400_optdigits_mnist5k.py'

# The gradient reversal reaches its full strength within the run (in MIC within the first
# tenth of it), and the discriminator is as narrow as the network.
model = dict(
    objectives=dict(
        source=None,
        self_training=None,
        joint=dict(
            type='mic_mm.JointSupervision',
            terms=dict(
                mcc=dict(
                    type='mic_mm.MinimumClassConfusion', temperature=2.0),
                cdan=dict(
                    type='mic_mm.ConditionalAdversarial',
                    num_classes=10,
                    feature_dim=64,
                    hidden_dim=128,
                    warmup_iterations=100)))))
