# Copyright (c) mic_mm authors. All rights reserved.
