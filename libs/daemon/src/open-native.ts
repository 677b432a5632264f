import { AddonLoadError, loadNative, type Native } from '@pp/native';
import { ExitCode, Refused } from './refused';

/** The addon, unpacked and loaded anew by every call: make one and pass it on. Throws Refused naming each place that did not do. */
export function openNative(stateDir: string): Native {
  try {
    return loadNative({ stateDir });
  } catch (fault) {
    if (fault instanceof AddonLoadError) {
      throw new Refused(ExitCode.failed, fault.message, {
        advice: `let one of them execute, or put addon-${process.arch}.node beside the program`,
        cause: fault,
      });
    }
    throw fault;
  }
}
