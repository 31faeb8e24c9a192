_base_ = 'mic_tiny-resnet_1xb32-400_optdigits_mnist5k.py'

# As narrow a discriminator as the network.  The gradient reversal warms up over 1000
# iterations as in CDAN, so in 400 it gets to a fifth of its strength: a network that is
# trained from scratch does not learn the source under more.
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
                    hidden_dim=128)))))
