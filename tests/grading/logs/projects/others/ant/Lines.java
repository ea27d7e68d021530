import java.io.OutputStream;
import java.io.PrintStream;
import java.util.HashMap;
import java.util.Map;
import junit.framework.AssertionFailedError;
import junit.framework.Test;
import org.apache.tools.ant.taskdefs.optional.junit.JUnitResultFormatter;
import org.apache.tools.ant.taskdefs.optional.junit.JUnitTest;

/** A line a test, as lombok's own formatter has it: `[PASS] name`, which ant puts `[junit]` before. */
public class Lines implements JUnitResultFormatter {
    private PrintStream out = System.out;
    private final Map<Test, String> marks = new HashMap<>();

    @Override public void setOutput(OutputStream stream) { out = new PrintStream(stream, true); }
    @Override public void addFailure(Test test, AssertionFailedError error) { marks.put(test, "FAIL"); }
    @Override public void addError(Test test, Throwable error) { marks.put(test, "ERR"); }
    @Override public void endTest(Test test) {
        out.println("[" + marks.getOrDefault(test, "PASS") + "] " + test);
    }
    @Override public void startTest(Test test) {}
    @Override public void startTestSuite(JUnitTest suite) {}
    @Override public void endTestSuite(JUnitTest suite) {}
    @Override public void setSystemOutput(String said) {}
    @Override public void setSystemError(String said) {}
}
