import { findProgram } from '../lib/find.mjs';
import { Stop } from '../lib/say.mjs';
import { installPackages } from './packages.mjs';

/** Makes a C++ compiler present: libFuzzer is built with it. @param {(line: string) => void} step */
export async function setUpCompiler(step) {
  if (!findCompiler()) await installPackages('C++ compiler', [['g++']], step);
  if (!findCompiler()) throw new Stop('a C++ compiler is missing: install g++, or set CXX to its path');
  step('C++ compiler is there');
}

const findCompiler = () => findProgram([process.env.CXX, 'c++']);
