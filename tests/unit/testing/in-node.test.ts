// @vitest-environment node
import { describeCases } from './cases.js';

describeCases('node');
