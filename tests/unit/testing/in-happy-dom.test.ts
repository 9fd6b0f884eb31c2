// @vitest-environment happy-dom
import { describeCases } from './cases.js';

describeCases('happy-dom');
